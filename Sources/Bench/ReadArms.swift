// Arms that go through a long log: reading it, COPY of the same rows, the fold, verification, and the
// views made anew.

import ControlPlane
import EventLog
import Hosting
import Postgres

/// From an empty state to decoded events, page by page as a reader catches up.
struct ReadArm: Arm {
  let name = "read"
  let databases: Databases
  let events: Int

  func run() async throws -> Sample {
    let (configuration, first) = (
      databases.cluster.configuration(Databases.long), databases.baseCount
    )
    let events = events
    return try await onThread(name) {
      var connection = try Connection(configuration)
      var position = Position(first)
      let last = first + Int64(events)
      let start = ContinuousClock.now
      var page: [StoredEvent]
      repeat {
        page = try LogReader.events(after: position, limit: LogReader.pageLimit, on: &connection)
        for event in page {
          guard event.position == position.next else {
            throw VoidedArm(["a position out of line: \(event.position)"])
          }
          guard try event.decoded() is AgreementAmended || position.value >= last else {
            throw VoidedArm(["another event than was appended, at \(event.position)"])
          }
          position = event.position
        }
      } while !page.isEmpty && position.value < last
      let elapsed = ContinuousClock.now - start
      guard position.value >= last else {
        throw VoidedArm(["\(last - position.value) events missed"])
      }
      return Sample(events: Int(position.value - first), seconds: elapsed.inSeconds)
    }
  }
}

/// The rows as fast as PostgreSQL sends them.
struct CopyArm: Arm {
  let name = "copy"
  let databases: Databases
  let events: Int

  func run() async throws -> Sample {
    let (configuration, first) = (
      databases.cluster.configuration(Databases.long), databases.baseCount
    )
    let events = events
    return try await onThread(name) {
      var connection = try Connection(configuration)
      var count = 0
      let start = ContinuousClock.now
      try connection.copyOut(
        """
        COPY (SELECT * FROM log.events WHERE position > \(first) AND position <= \(first + Int64(events)) \
        ORDER BY position) TO STDOUT
        """
      ) { _ in count += 1 }
      let elapsed = ContinuousClock.now - start
      guard count == events else { throw VoidedArm(["\(count) rows instead of \(events)"]) }
      return Sample(events: count, seconds: elapsed.inSeconds)
    }
  }
}

/// Decoding and folding events that are in memory, on one thread.
struct FoldArm: Arm {
  let name = "fold"
  let databases: Databases
  let events: Int

  /// At most this many events are held in memory.
  private static let heldLimit = 200_000

  func run() async throws -> Sample {
    let (configuration, first) = (
      databases.cluster.configuration(Databases.long), databases.baseCount
    )
    let events = min(events, Self.heldLimit)
    return try await onThread(name) {
      var connection = try Connection(configuration)
      let keys = PersonKeys.none
      var state = HostingState()
      var held: [StoredEvent] = []
      var last = Position.empty
      while last.value < first + Int64(events) {
        let page = try LogReader.events(after: last, limit: LogReader.pageLimit, on: &connection)
        guard let end = page.last else { throw VoidedArm(["the log ends at \(last)"]) }
        last = end.position
        for event in page {
          if event.position.value <= first {
            try state.fold(event, keys)
          } else {
            held.append(event)
          }
        }
      }
      let start = ContinuousClock.now
      for event in held { try state.fold(event, keys) }
      let elapsed = ContinuousClock.now - start
      guard state.position == last else {
        throw VoidedArm(["folded to \(state.position), not \(last)"])
      }
      return Sample(events: held.count, seconds: elapsed.inSeconds)
    }
  }
}

/// `wharfd verify`.
struct VerifyArm: Arm {
  let name = "verify"
  let databases: Databases
  let events: Int

  func run() async throws -> Sample {
    let configuration = databases.cluster.configuration(Databases.long)
    let least = databases.baseCount + Int64(events)
    return try await onThread(name) {
      let start = ContinuousClock.now
      let sound = try Verification.run(configuration) { _, _ in }
      let elapsed = ContinuousClock.now - start
      guard sound.position.value >= least else {
        throw VoidedArm(["verified to \(sound.position) of \(least)"])
      }
      return Sample(events: Int(sound.position.value), seconds: elapsed.inSeconds)
    }
  }
}

/// `wharfd rebuild`.
struct RebuildArm: Arm {
  let name = "rebuild"
  let databases: Databases
  let events: Int

  func run() async throws -> Sample {
    let configuration = databases.cluster.configuration(Databases.long)
    let least = databases.baseCount + Int64(events)
    return try await onThread(name) {
      var connection = try Connection(configuration)
      let start = ContinuousClock.now
      let views = try Rebuild.run(&connection, keys: PersonKeys(Member.secret)) { _ in }
      let elapsed = ContinuousClock.now - start
      let rows = try connection.query("SELECT count(*), max(position) FROM views.timeline")
      let count = try rows[0].decode(Int64.self, at: 0)
      guard views.position.value >= least, count == views.position.value,
        try rows[0].decode(Int64.self, at: 1) == count
      else { throw VoidedArm(["\(count) rows of the timeline at position \(views.position)"]) }
      return Sample(events: Int(count), seconds: elapsed.inSeconds)
    }
  }
}
