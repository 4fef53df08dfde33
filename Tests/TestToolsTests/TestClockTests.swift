// Clocks that are moved by hand, and the machine's beside them.

import Foundation
import Hosting
import Synchronization
import TestTools
import Testing
import Time

@Suite(.bounded) struct TestClockTests {
  @Test func `who sleeps wakes when the clock was moved there, and not before`() async throws {
    let clock = TestClock()
    let sleepers = [30, 10, 20].map { seconds in
      Task { try await clock.clocks.sleep(for: .seconds(seconds)) }
    }
    try await eventually("all sleep") { clock.sleeping == 3 }
    clock.move(by: .milliseconds(9_999))
    #expect(clock.sleeping == 3)
    clock.move(by: .milliseconds(1))
    try await sleepers[1].value
    #expect(clock.sleeping == 2)
    clock.move(by: .seconds(3_600))
    for sleeper in sleepers { try await sleeper.value }
    #expect(clock.sleeping == 0)
  }

  @Test func `who is cancelled sleeps no longer`() async throws {
    let clock = TestClock()
    let sleeper = Task { try await clock.clocks.sleep(for: .seconds(1)) }
    try await eventually("it sleeps") { clock.sleeping == 1 }
    sleeper.cancel()
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    #expect(clock.sleeping == 0)
    let late = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await clock.clocks.sleep(for: .seconds(1))
    }
    await #expect(throws: CancellationError.self) { try await late.value }
  }

  @Test func `a thread is held up until then`() async throws {
    let clock = TestClock()
    let isOver = Mutex(false)
    Thread.detachNewThread {
      clock.clocks.block(for: .seconds(60))
      isOver.withLock { $0 = true }
    }
    clock.move(by: .seconds(59))
    #expect(!isOver.withLock { $0 })
    // However late it began.
    try await eventually("it goes on") {
      clock.move(by: .seconds(60))
      return isOver.withLock { $0 }
    }
  }

  @Test func `both clocks go on together, and the calendar can be set beside`() {
    let clock = TestClock(date: Timestamp(microseconds: 0))
    let (clocks, start) = (clock.clocks, clock.now)
    clock.move(by: .milliseconds(1_500))
    #expect(clocks.now - start == .milliseconds(1_500))
    #expect(clocks.date == Timestamp(microseconds: 1_500_000))
    clock.set(Timestamp(microseconds: 7))
    #expect(clocks.now - start == .milliseconds(1_500))
    #expect(clocks.date == Timestamp(microseconds: 7))
  }

  @Test func `what is drawn at random is the seed's`() {
    let drawn = [1, 1, 2].map { TestClock(seed: $0).clocks.random.bytes(32) }
    #expect(drawn[0] == drawn[1] && drawn[0] != drawn[2])
    #expect(Clocks.system.random.bytes(32) != Clocks.system.random.bytes(32))
  }

  @Test func `the machine's clocks go on by themselves`() async throws {
    let clocks = Clocks.system
    let (start, date) = (clocks.now, clocks.date)
    clocks.block(for: .milliseconds(20))
    #expect(clocks.now - start >= .milliseconds(20))
    try await clocks.sleep(for: .milliseconds(20))
    #expect(clocks.now - start >= .milliseconds(40))
    #expect(clocks.date > date && clocks.sinceStart > .zero)
  }
}
