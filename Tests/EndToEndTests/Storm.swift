// Clients that load two wharfd while faults happen, and what must hold of what they were told: the oracle
// is their own list.

import Foundation
import Hosting
import Postgres
import Synchronization
import TestKit
import Testing
import Wire

/// Clients that send marks until told to stop. The patient send a command again under its id until they
/// know what became of it; every fourth is impatient, and gives up what is not answered soon.
final class Storm: Sendable {
  private static let patienceSeconds: Int64 = 1

  private struct Told: Sendable {
    let id: CommandID
    let position: Position
    let sentAt: ContinuousClock.Instant
    let toldAt: ContinuousClock.Instant
  }

  private let wharfds: Wharfds
  private let stopping = Mutex(false)
  /// Per client, in the order in which it was told.
  private let acknowledged: Mutex<[[Told]]>
  private let givenUp = Mutex<[CommandCall]>([])
  private let refusals = Mutex<[String]>([])

  init(_ wharfds: Wharfds, clients: Int) {
    self.wharfds = wharfds
    acknowledged = Mutex(Array(repeating: [], count: clients))
  }

  var count: Int { acknowledged.withLock { $0.reduce(0) { $0 + $1.count } } }
  var givenUpCount: Int { givenUp.withLock { $0.count } }

  /// Runs the clients while `faults` happen; then lets each learn the fate of its last command.
  func during(_ faults: () async throws -> Void) async throws {
    let client = Client(wharfds, try wharfds.token())
    let clients = acknowledged.withLock { $0.count }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<clients { group.addTask { try await self.run(number, client) } }
      do { try await faults() } catch {
        stopping.withLock { $0 = true }
        throw error
      }
      stopping.withLock { $0 = true }
      try await group.waitForAll()
    }
  }

  /// Waits until that many more commands were acknowledged.
  func goesOn(_ commands: Int = 50, withinSeconds limit: Double = Pace.patienceSeconds) async throws
  {
    let before = count
    try await eventually("\(commands) more commands are acknowledged", withinSeconds: limit) {
      count >= before + commands
    }
  }

  private func run(_ number: Int, _ client: Client) async throws {
    let isPatient = number % 4 != 3
    var target = number
    var step = 0
    while !stopping.withLock({ $0 }) {
      step += 1
      let call = client.call(PlaceMark(name: try Name("m-\(number)-\(step)")))
      let sentAt = ContinuousClock.now
      let outcome =
        isPatient
        ? try await client.settle(call, from: target)
        : await client.send(call, to: target % Wharfds.count, withinSeconds: Self.patienceSeconds)
      switch outcome {
      case .stored(let position):
        let told = Told(id: call.id, position: position, sentAt: sentAt, toldAt: .now)
        acknowledged.withLock { $0[number].append(told) }
      case .refused(let why): refusals.withLock { $0.append(why) }
      case .unknown:
        givenUp.withLock { $0.append(call) }
        target += 1
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  /// Each acknowledged command stands in the table once, where the client was told; what was given up
  /// stands there once or not at all, and nothing else; positions have no gap; what was told before
  /// another was sent stands before it.
  func check(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    #expect(
      refusals.withLock { $0 }.prefix(3) == [], "no name was sent twice, so none is refused",
      sourceLocation: sourceLocation)
    let stored = try stored(sourceLocation)
    let told = acknowledged.withLock { $0 }
    for client in told {
      #expect(
        zip(client, client.dropFirst()).allSatisfy { $0.position < $1.position },
        "each client's order is kept", sourceLocation: sourceLocation)
    }
    let all = told.flatMap { $0 }
    for one in all {
      #expect(stored["\(one.id)"] == one.position.value, sourceLocation: sourceLocation)
    }
    #expect(Self.isInOrder(all), sourceLocation: sourceLocation)
    let givenUp = givenUp.withLock { $0 }
    let known = Set(all.map { "\($0.id)" }).union(givenUp.map { "\($0.id)" })
    #expect(stored.keys.allSatisfy(known.contains), sourceLocation: sourceLocation)
    try await askAgain(givenUp, stored, sourceLocation)
  }

  private func stored(_ sourceLocation: SourceLocation) throws -> [String: Int64] {
    var connection = try wharfds.database.connect()
    let rows = try connection.query(
      "SELECT position, type, command_id::text FROM log.events ORDER BY position")
    var stored: [String: Int64] = [:]
    for number in 0..<rows.count {
      let position = try rows[number].decode(Int64.self, at: 0)
      #expect(position == Int64(number) + 1, sourceLocation: sourceLocation)
      guard try rows[number].decode(String.self, at: 1) == "markPlaced" else { continue }
      let id = try rows[number].decode(String.self, at: 2)
      #expect(stored.updateValue(position, forKey: id) == nil, sourceLocation: sourceLocation)
    }
    return stored
  }

  /// Whoever was told something before another sent his own stands before him.
  private static func isInOrder(_ all: [Told]) -> Bool {
    var earliest: ContinuousClock.Instant?
    for one in all.sorted(by: { $0.position > $1.position }) {
      if let earliest, earliest < one.sentAt { return false }
      earliest = min(earliest ?? one.toldAt, one.toldAt)
    }
    return true
  }

  /// What was given up is sent again under its id: stored now, or where it stood.
  private func askAgain(
    _ calls: [CommandCall], _ stored: [String: Int64], _ sourceLocation: SourceLocation
  ) async throws {
    let client = Client(wharfds, try wharfds.token())
    for call in calls {
      let outcome = try await client.settle(call, from: 0)
      guard case .stored(let position) = outcome else {
        Issue.record("a retry was answered with \(outcome)", sourceLocation: sourceLocation)
        continue
      }
      if let before = stored["\(call.id)"] {
        #expect(position.value == before, sourceLocation: sourceLocation)
      }
    }
    let again = try self.stored(sourceLocation)
    #expect(
      again.count == Set(stored.keys).union(calls.map { "\($0.id)" }).count,
      sourceLocation: sourceLocation)
  }
}
