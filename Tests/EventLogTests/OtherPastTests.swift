// Somebody with the right to everything cuts the log, or rewrites its tail with a chain that fits: only who
// saw it before can tell, and a witness does.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

/// Sees the log, and later says whether what it saw is in the log still.
private protocol Witness {
  /// - Returns: what it says of the log; nil when it finds nothing.
  func finding() async throws -> String?
}

@Suite(.database, .bounded) struct OtherPastTests {
  enum Forgery: String, CaseIterable, Sendable {
    case cut, rewritten, rewrittenAndGoneOn, cutAndGoneOn

    func script(at position: Int64) -> String {
      switch self {
      case .cut: ChainSQL.cut(after: position)
      case .rewritten: ChainSQL.rewrite(position, "actor = 'person/9'")
      case .rewrittenAndGoneOn:
        ChainSQL.rewrite(position, "actor = 'person/9'") + ";" + ChainSQL.grow(by: 3)
      case .cutAndGoneOn: ChainSQL.cut(after: position) + ";" + ChainSQL.grow(by: 3)
      }
    }
  }

  /// - Parameter witness: sees the log before.
  private func faults(
    _ forgery: Forgery, _ witness: (Rig) async throws -> any Witness
  ) async throws -> [Fault] {
    let rig = try await Rig.leading(.current)
    let receipt = try await rig.send(RegisterProvider(name: Name(known: "xai")))
    try await rig.send(RegisterProvider(name: Name(known: "openai")))
    let witness = try await witness(rig)
    // While nobody is there to see a log that is forged by half, or an event that does not follow.
    try await TestDatabase.current.alone { connection in
      try connection.script(forgery.script(at: receipt.position.value))
    }
    // The chain fits.
    _ = try Verification.run(rig.database) { _, _ in }
    let finding = try await witness.finding()
    await rig.stop()
    return finding == nil ? [Fault("a log that was \(forgery.rawValue) is taken for the same")] : []
  }

  @Test(arguments: Forgery.allCases)
  func `a wharfd that finds another past under its own ends, loudly`(forgery: Forgery) async throws
  {
    #expect(try await faults(forgery) { LeadingWitness(rig: $0, head: $0.head) } == [])
  }

  @Test func `a witness that keeps less than position and hash is found out`() async throws {
    for forgery in Forgery.allCases {
      let database = try await TestCluster.shared().makeDatabase()
      try await TestDatabase.with(database) {
        let right = try await faults(forgery) { try ToyWitness(rig: $0, keeps: .positionAndHash) }
        #expect(right == [], "\(forgery)")
      }
      try await TestCluster.shared().drop(database)
    }
    for (keeps, missed) in [
      (ToyWitness.Keeps.position, [Forgery.rewritten, .rewrittenAndGoneOn, .cutAndGoneOn]),
      (.hashOfHead, [.rewrittenAndGoneOn, .cutAndGoneOn]),
    ] {
      var found: [Forgery] = []
      for forgery in Forgery.allCases {
        let database = try await TestCluster.shared().makeDatabase()
        try await TestDatabase.with(database) {
          let faults = try await faults(forgery) { try ToyWitness(rig: $0, keeps: keeps) }
          if !faults.isEmpty { found.append(forgery) }
        }
        try await TestCluster.shared().drop(database)
      }
      #expect(found == missed, "a witness of the \(keeps)")
    }
  }
}

/// A wharfd that leads.
private struct LeadingWitness: Witness {
  let rig: Rig
  let head: Head

  func finding() async throws -> String? {
    let error = await #expect(throws: LogError.self) { try await rig.ended() }
    guard case .otherPast(let position, let seen, let found) = error else { return nil }
    guard position == head.state.position, seen == head.hash, found != head.hash else { return nil }
    return "\(error!)"
  }
}

/// Keeps what it saw of the head in memory, and looks at the log again.
private final class ToyWitness: Witness {
  enum Keeps { case positionAndHash, position, hashOfHead }

  private let keeps: Keeps
  private let database: PostgresConfiguration
  private let head: Head

  init(rig: Rig, keeps: Keeps) throws {
    self.keeps = keeps
    database = rig.database
    head = rig.head
  }

  private func hash(_ condition: String) throws -> [UInt8]? {
    var connection = try Connection(database)
    return try connection.query(
      Query("SELECT hash FROM log.events WHERE \(condition) ORDER BY position DESC LIMIT 1", [])
    ).first?.decode([UInt8].self, at: 0)
  }

  func finding() throws -> String? {
    let position = head.state.position
    guard let found = try hash("position = \(position)") else { return "\(position) is gone" }
    switch keeps {
    case .position: return nil
    case .positionAndHash:
      return found == head.hash.bytes ? nil : "another event at \(position)"
    case .hashOfHead:
      // It compares heads of one length only.
      guard try hash("position > \(position)") == nil else { return nil }
      return found == head.hash.bytes ? nil : "another event at \(position)"
    }
  }
}
