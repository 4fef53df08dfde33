// How soon the views show what was appended, and how much they keep up with.

import ControlPlane
import EventLog
import Glibc
import Hosting
import Postgres
import ServiceLifecycle
import Synchronization

/// From the moment in which a command is submitted to its event's row in `views.timeline`, at a steady
/// 2,000 events a second.
struct ViewArm: Arm {
  static let eventsPerSecond = 2_000
  /// Appends under way at once; more than the rate needs.
  private static let producers = 64
  /// How often the views are looked at.
  private static let lookMicroseconds: UInt32 = 300
  private static let catchUpSeconds = 600.0

  let name = "view"
  let databases: Databases
  let seconds: Double

  func run() async throws -> Sample {
    let configuration = try databases.makeScratch()
    let member = try await Member.leading(configuration)
    let first = member.log.board.current.state.position.value + 1
    let projector = try Projector(
      board: member.log.board, database: configuration, keys: member.log.keys,
      logger: Member.logger)
    let following = Task { try await projector.run() }
    defer { following.cancel() }
    do {
      let sample = try await measure(member, configuration, after: first - 1)
      following.cancel()
      _ = try? await following.value
      await member.stop()
      return sample
    } catch {
      following.cancel()
      _ = try? await following.value
      await member.stop()
      throw error
    }
  }

  private func measure(
    _ member: Member, _ configuration: PostgresConfiguration, after last: Int64
  ) async throws -> Sample {
    let count = max(Self.producers, Int(seconds * Double(Self.eventsPerSecond)))
    let watcher = Task {
      try await onThread("watch-views") {
        try Self.watch(configuration, from: last, to: last + Int64(count))
      }
    }
    // The projector opens its views first.
    try await Task.sleep(for: .milliseconds(500))
    let start = ContinuousClock.now
    let answered = try await withThrowingTaskGroup { group in
      for producer in 0..<Self.producers {
        group.addTask {
          try await Self.produce(member, producer, until: count, from: start)
        }
      }
      var all: [(Acknowledgement, ContinuousClock.Instant)] = []
      for try await some in group { all += some }
      return all
    }
    let elapsed = ContinuousClock.now - start
    let seen = try await watcher.value
    let stored = try await onThread("read-back") {
      try Databases.stored(configuration, after: last)
    }
    let faults = Ledger.faults(
      acknowledged: answered.map(\.0), stored: stored, first: last + 1)
    guard faults.isEmpty else { throw VoidedArm(faults) }
    let latencies = answered.map { acknowledgement, submitted -> Int64 in
      let shown = seen[Int(acknowledgement.position! - last) - 1]
      return (shown - submitted).inNanoseconds
    }
    return Sample(events: count, seconds: elapsed.inSeconds, latencies: latencies)
  }

  /// Sends every event at its time, whatever became of those before.
  ///
  /// - Returns: what was acknowledged, and when each was submitted.
  private static func produce(
    _ member: Member, _ producer: Int, until count: Int, from start: ContinuousClock.Instant
  ) async throws -> [(Acknowledgement, ContinuousClock.Instant)] {
    var answered: [(Acknowledgement, ContinuousClock.Instant)] = []
    for index in stride(from: producer, to: count, by: producers) {
      let due = start + .seconds(Double(index) / Double(eventsPerSecond))
      try await Task.sleep(until: due, tolerance: .zero, clock: .continuous)
      let request = try Workload.amend(
        producer: producer, of: producers, sequence: answered.count)
      let submitted = ContinuousClock.now
      let receipt = try await member.log.submit(request)
      answered.append(
        (
          Acknowledgement(
            producer: producer, sequence: answered.count, id: request.id,
            position: receipt.position.value, nanoseconds: 0), submitted
        ))
    }
    return answered
  }

  /// When each position was first seen in the views.
  private static func watch(
    _ configuration: PostgresConfiguration, from first: Int64, to last: Int64
  ) throws -> [ContinuousClock.Instant] {
    var connection = try Connection(configuration)
    var seen: [ContinuousClock.Instant] = []
    let deadline = ContinuousClock.now + .seconds(catchUpSeconds)
    while Int64(seen.count) < last - first {
      let rows = try connection.query("SELECT coalesce(max(position), 0)::int8 FROM views.timeline")
      let now = ContinuousClock.now
      let shown = min(last, try rows[0].decode(Int64.self, at: 0))
      while first + Int64(seen.count) < shown { seen.append(now) }
      guard now < deadline else { throw BenchFailure("the views stay at \(shown) of \(last)") }
      usleep(lookMicroseconds)
    }
    return seen
  }
}

/// The projector alone, from views that are behind to the head of the log.
struct ProjectorArm: Arm {
  private static let catchUpSeconds = 300
  private static let eventsLimit = 50_000

  let name = "projector"
  let databases: Databases
  let events: Int

  func run() async throws -> Sample {
    let configuration = try databases.makeScratch()
    let databases = databases
    let events = min(events, Self.eventsLimit)
    let base = databases.baseCount
    try await onThread("fill") { try databases.fill(Databases.scratch, with: events) }
    let member = try await Member.leading(configuration)
    let target = member.log.board.current.state.position
    let projector = try Projector(
      board: member.log.board, database: configuration, keys: member.log.keys,
      logger: Member.logger)
    let start = ContinuousClock.now
    let following = Task { try await projector.run() }
    let done: Result<Duration, any Error>
    do {
      done = .success(
        try await onThread("watch-views") {
          try Self.wait(configuration, target.value, since: start)
        })
    } catch {
      done = .failure(error)
    }
    following.cancel()
    _ = try? await following.value
    await member.stop()
    return Sample(events: Int(target.value - base), seconds: try done.get().inSeconds)
  }

  private static func wait(
    _ configuration: PostgresConfiguration, _ target: Int64, since start: ContinuousClock.Instant
  ) throws -> Duration {
    var connection = try Connection(configuration)
    let deadline = start + .seconds(catchUpSeconds)
    while ContinuousClock.now < deadline {
      let rows = try connection.query("SELECT position FROM views.checkpoint")
      if let row = rows.first, try row.decode(Int64.self, at: 0) >= target {
        let elapsed = ContinuousClock.now - start
        let counted = try connection.query("SELECT count(*) FROM views.timeline")
        let count = try counted[0].decode(Int64.self, at: 0)
        guard count == target else {
          throw VoidedArm(["\(count) rows of the timeline at \(target)"])
        }
        return elapsed
      }
      usleep(5_000)
    }
    throw BenchFailure("the projector did not reach \(target) within \(catchUpSeconds) s")
  }
}
