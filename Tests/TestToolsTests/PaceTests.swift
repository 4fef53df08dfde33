// The tools that all other tests rest on: seconds of a calm machine, waits, turns and ports.

import Foundation
import Glibc
import Synchronization
import TestTools
import Testing

@Suite(.serialized, .bounded) struct PaceTests {
  /// Takes every core several times over while the body runs.
  private func crowded(_ body: () async throws -> Void) async throws {
    let isOver = Flag()
    for _ in 0..<(ProcessInfo.processInfo.activeProcessorCount * 6) {
      Thread.detachNewThread { while !isOver.isSet {} }
    }
    defer { isOver.set() }
    try await body()
  }

  @Test func `beside others that take all cores, seconds pass more slowly`() async throws {
    try await crowded {
      try await eventually("the crowd is noticed", withinSeconds: 20) { Pace.slowness > 2 }
      let (watch, start) = (Stopwatch(), ContinuousClock.now)
      try await Task.sleep(for: .seconds(3))
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      #expect(watch.seconds > 0 && watch.seconds < seconds * 0.7)
    }
  }

  @Test func `seconds never pass faster than the clock, nor backwards`() async throws {
    // The crowd of before is remembered for a while; beside others it is never calm, and this says less.
    _ = try? await eventually("the crowd is forgotten", withinSeconds: 2) { Pace.slowness < 2 }
    let (watch, start) = (Stopwatch(), ContinuousClock.now)
    var last = 0.0
    // That it grew crowded is found out after a while.
    try await crowded {
      while ContinuousClock.now - start < .seconds(3) {
        let now = watch.seconds
        #expect(now >= last && now <= (ContinuousClock.now - start) / .seconds(1))
        last = now
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  @Test func `a wait ends with what it waited for, or names it at its end`() async throws {
    var looks = 0
    let found = try await eventually("the third look", withinSeconds: 0) {
      looks += 1
      return looks
    }
    #expect(found == 1)
    let error = await #expect(throws: TestFailure.self) {
      try await eventually("it never comes", withinSeconds: 0.05) { false }
    }
    #expect(error?.description.contains("it never comes") == true)
    // However late it is let run, it looks once more.
    var isThere = false
    try await eventually("it is there", withinSeconds: 0.05) {
      defer {
        usleep(200_000)
        isThere = true
      }
      return isThere
    }
  }
}

@Suite(.bounded) struct TurnTests {
  private final class Running: Sendable {
    /// How many run, and how many ran at once at most.
    let count = Mutex((now: 0, most: 0))

    func run() async throws {
      try await Turns.take {
        count.withLock { count in
          count.now += 1
          count.most = max(count.most, count.now)
        }
        // Who has a turn needs no other.
        try await Turns.take { try await Task.sleep(for: .milliseconds(5)) }
        count.withLock { $0.now -= 1 }
      }
    }
  }

  @Test func `as many as there are places run at once, and no more`() async throws {
    let running = Running()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<60 { group.addTask { try await running.run() } }
      try await group.waitForAll()
    }
    let most = running.count.withLock { $0.most }
    #expect((1...Turns.places).contains(most))
  }
}

@Suite(.bounded) struct PortTests {
  @Test func `no port is given twice, nor one that somebody listens on`() throws {
    let first = try Ports.take(10)
    let taken = try StreamSocket.open(.port(UInt16(first.upperBound + 1))) { bind($0, $1, $2) }
    defer { close(taken) }
    try #require(listen(taken, 1) == 0)
    var given = Set(first)
    for _ in 0..<300 {
      let port = try Ports.one()
      #expect(port != first.upperBound + 1)
      #expect(given.insert(port).inserted)
    }
  }

  @Test func `another process is given others`() async throws {
    let own = try Ports.take(5)
    await #expect(processExitsWith: .success) { [lower = own.lowerBound as Int] in
      for _ in 0..<200 {
        let port = try Ports.one()
        #expect(port / 100 != lower / 100)
      }
    }
  }
}

/// Set once, from anywhere.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}
