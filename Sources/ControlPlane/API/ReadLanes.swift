// Where lists and other large answers are made: on threads of their own, which give way to those that store commands
// and hear agents and gateways. However much is read, a person's command is stored as before.

import Foundation
import HTTPTypes
import Hosting
import Postgres
import Synchronization

final class ReadLanes: Sendable {
  /// Answers of one person under way at once.
  static let perPersonLimit = 32
  /// Of all.
  static let allLimit = 1_000
  /// As `nice` counts: beside busy others such a thread gets a third of what they get.
  static let niceness: Int32 = 5

  private struct State {
    var byPerson: [Actor: Int] = [:]
    var all = 0
    var next = 0
  }

  private let lanes: [ReadLane]
  private let state = Mutex(State())

  /// - Parameter count: as many answers are made at once; half the processors are left to all else.
  /// - Throws: where there is no thread left.
  init(count: Int = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)) throws {
    lanes = try (0..<count).map { try ReadLane(number: $0) }
  }

  /// How many are under way.
  var underway: Int { state.withLock { $0.all } }

  func run<Answer: Sendable>(
    for principal: Principal, _ body: @Sendable () throws -> Answer
  ) async throws -> Answer {
    let lane = try begin(principal)
    defer { end(principal) }
    return try await lanes[lane].run(body)
  }

  /// - Returns: the lane whose turn it is.
  private func begin(_ principal: Principal) throws -> Int {
    let (lane, full): (Int, String?) = state.withLock { state in
      let own = state.byPerson[principal.actor, default: 0]
      guard own < Self.perPersonLimit else {
        return (0, "this person already waits for \(Self.perPersonLimit) answers")
      }
      guard state.all < Self.allLimit else {
        return (0, "there are already \(Self.allLimit) readers who wait for their answers")
      }
      state.byPerson[principal.actor] = own + 1
      state.all += 1
      state.next = (state.next + 1) % lanes.count
      return (state.next, nil)
    }
    guard let full else { return lane }
    throw APIError(
      .tooManyRequests, "tooManyReads", full,
      help: "try again in a moment, with fewer at once")
  }

  private func end(_ principal: Principal) {
    state.withLock { state in
      let left = state.byPerson[principal.actor, default: 0] - 1
      state.byPerson[principal.actor] = left > 0 ? left : nil
      state.all -= 1
    }
  }
}

private actor ReadLane {
  private let lane: Lane

  init(number: Int) throws {
    lane = try Lane(name: "reads-\(number)", niceness: ReadLanes.niceness)
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  func run<Answer: Sendable>(_ body: @Sendable () throws -> Answer) throws -> Answer { try body() }
}
