// Members of different format levels on one log: the new write nothing that the old cannot read until
// `finalize`, which waits for the last of them; and who is too old stops loudly.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

/// An event of a later level; this program does not know its type.
private struct CargoLoaded: Event {
  static let type = "cargoLoaded"
  static let formatLevel = 2
  let ship: String

  func evolve(_ state: inout HostingState, _ fact: Fact) {}

  func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("ship", ship)
    json.closeObject()
  }
}

/// It has no short way.
extension CargoLoaded {
  init?(canonical reader: inout CanonicalReader) { nil }
}

private struct LoadCargo: Command {
  static let type = "cargo.load"

  func decide(_ state: HostingState, _ decision: inout Decision) {
    decision.record(CargoLoaded(ship: "anna"), on: .log)
  }

  func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

@Suite(.database) struct FormatLevelTests {
  private func finalize(_ rig: Rig, to level: Int = 2) throws -> Finalization.Outcome {
    try Finalization.run(
      rig.database, level: level, secret: Rig.secret, makeCommandID: { .random() })
  }

  private func members(_ rig: Rig) throws -> [String] {
    var connection = try Connection(rig.database)
    return try connection.query(
      "SELECT instance || ' ' || format_level FROM log.members ORDER BY instance"
    ).map { try $0.decode(String.self, at: 0) }
  }

  /// A log at level 1, which a member that reads level 2 leads.
  private func upgraded() async throws -> Rig {
    let first = try await Rig.leading(.current, adjust: { $0.formatLevel = 1 })
    await first.stop()
    let rig = try Rig(first.database, instance: "new") { $0.formatLevel = 2 }
    try await rig.leads()
    return rig
  }

  @Test func `finalize waits for the last older wharfd, and names it`() async throws {
    let new = try await upgraded()
    let old = try Rig(new.database, instance: "old") { $0.formatLevel = 1 }
    try await eventually("both are here") {
      try members(new) == ["new 2", "old 1"]
    }
    let refusal = #expect(throws: Refusal.self) { try finalize(new) }
    #expect(refusal?.message.contains("old (reads level 1)") == true)
    await old.stop()
    #expect(try members(new) == ["new 2"])
    let outcome = try finalize(new)
    guard case .raised(to: 2, let position) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    let head = await new.member.board.wait(for: position, upTo: .seconds(300))
    #expect(head?.state.log.formatLevel == 2)
    #expect(try finalize(new) == .alreadyAt(2))
    await new.stop()
  }

  @Test func `a wharfd older than the log refuses to start, from a snapshot too`() async throws {
    let new = try await upgraded()
    _ = try finalize(new)
    try await new.grow(to: 60, seed: 1)
    await new.stop()
    var connection = try Connection(new.database)
    try writeSnapshot(at: 50, of: new, .fresh(), &connection)
    for snapshots in [nil, SnapshotStore.fresh()] {
      let old = try Rig(new.database, instance: "old") {
        $0.formatLevel = 1
        $0.snapshots = snapshots
      }
      let error = await #expect(throws: LogError.self) { try await old.ended() }
      guard case .formatNewer(_, log: 2, known: 1) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(error?.description.contains("run a newer wharfd") == true)
    }
  }

  @Test func `an older follower that nobody saw stops at the fact itself`() async throws {
    let new = try await upgraded()
    let old = try Rig(new.database, instance: "old") { $0.formatLevel = 1 }
    try await eventually("the old one follows") {
      old.head.standing == .following(address: "http://new")
    }
    // As if it had been out of touch for long, whatever it says of itself from now on.
    var connection = try Connection(new.database)
    try connection.script(
      """
      CREATE FUNCTION log.unseen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.seen_at := clock_timestamp() - interval '1 hour'; RETURN NEW; END $$;
      CREATE TRIGGER unseen BEFORE INSERT OR UPDATE ON log.members FOR EACH ROW
        WHEN (NEW.instance = 'old') EXECUTE FUNCTION log.unseen();
      UPDATE log.members SET seen_at = seen_at WHERE instance = 'old';
      """)
    let outcome = try finalize(new)
    let error = await #expect(throws: LogError.self) { try await old.ended() }
    guard case .raised(_, let position) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(error == .formatNewer(position: position, log: 2, known: 1))
    await new.stop()
  }

  @Test func `what a later level brought is refused before finalize, and stored after`()
    async throws
  {
    let new = try await upgraded()
    let failure = await #expect(throws: SubmitFailure.self) { try await new.send(LoadCargo()) }
    guard case .refused(let refusal, _) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(refusal.code == "formatLevelTooLow")
    let outcome = try finalize(new)
    guard case .raised(_, let raised) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    _ = await new.member.board.wait(for: raised, upTo: .seconds(300))
    let receipt = try await new.send(LoadCargo())
    #expect(receipt.events.map(\.type) == ["cargoLoaded"])
    await new.stop()
    // This program reads level 2 by its word only: at the event it stops all the same.
    let reader = try Rig(new.database, instance: "three") { $0.formatLevel = 2 }
    let error = await #expect(throws: LogError.self) { try await reader.ended() }
    guard case .unreadable(let position, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(position == receipt.position)
  }

  @Test func `a newer version of a known type stops the reader at its position`() async throws {
    let rig = try await Rig.leading(.current)
    let position = rig.head.state.position.next
    await rig.stop()
    var row = StoredEvent(
      position: position, stream: .log, type: "commandNoted", schemaVersion: 2,
      data: Array(#"{"command":"x","more":1}"#.utf8), metadata: Array("{}".utf8),
      commandID: .random(), commandHash: .zero, correlationID: .random(), causation: nil,
      actor: .wharfd, recordedAt: rig.head.state.recordedAt, hash: .zero)
    row.hash = Chain.hash(of: row, after: rig.head.hash)
    var connection = try Connection(rig.database)
    try connection.execute(LogStatements.append([row]))
    let reader = try Rig(rig.database, instance: "two")
    let error = await #expect(throws: LogError.self) { try await reader.ended() }
    guard case .unreadable(let stopped, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(stopped == position)
    #expect(reason.contains("up to version 1, not 2"))
  }

  @Test func `finalize beside a busy leader: both get all they appended`() async throws {
    let new = try await upgraded()
    let load = Task {
      var stored = 0
      for index in 0..<300 {
        try await new.send(PlaceMark(name: Name(known: "m\(index)")))
        stored += 1
      }
      return stored
    }
    let outcome = try finalize(new)
    let stored = try await load.value
    #expect(stored == 300)
    await new.stop()
    let events = try new.verified()
    #expect(events.filter { $0.type == "markPlaced" }.count == 300)
    guard case .raised(_, let position) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(events[Int(position.value) - 1].type == "formatLevelRaised")
  }

  @Test func `an empty log has no level to raise`() throws {
    let database = try TestDatabase.current.configuration
    _ = try Migrator.migrate(database)
    #expect(throws: LogError.neverLed) {
      try Finalization.run(
        database, level: 2, secret: Rig.secret, makeCommandID: { .random() })
    }
  }
}
