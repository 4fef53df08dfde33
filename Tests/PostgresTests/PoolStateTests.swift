// The pool's books and the queues beneath, without a server.

import Testing

@testable import Postgres

@Suite struct PoolStateTests {
  @Test func `connected slots go first, the latest before the others`() {
    var state = PoolState<String>(slots: 3, maximumWaiters: 1)
    #expect(state.acquire() == .granted(slot: 0))
    #expect(state.acquire() == .granted(slot: 1))
    #expect(state.release(slot: 0, isConnected: true) == nil)
    #expect(state.release(slot: 1, isConnected: false) == nil)
    #expect(state.acquire() == .granted(slot: 0))
    #expect(state.acquire() == .granted(slot: 1))
    #expect(state.acquire() == .granted(slot: 2))
    #expect(state.acquire() == .mustWait)
  }

  @Test func `waiters are granted in order, past those who left`() {
    var state = PoolState<String>(slots: 1, maximumWaiters: 3)
    _ = state.acquire()
    for (ticket, name) in ["a", "b", "c"].enumerated() { state.wait(name, ticket: ticket) }
    #expect(state.acquire() == .tooManyWaiters)
    #expect(state.remove(ticket: 0) == "a")
    #expect(state.remove(ticket: 0) == nil)
    #expect(state.release(slot: 0, isConnected: true) == "b")
    #expect(state.release(slot: 0, isConnected: true) == "c")
    #expect(state.release(slot: 0, isConnected: true) == nil)
    #expect(state.acquire() == .granted(slot: 0))
  }

  @Test func `many waiters that come and go do not grow the books`() {
    var state = PoolState<Int>(slots: 1, maximumWaiters: 10)
    _ = state.acquire()
    state.wait(-1, ticket: -1)
    for ticket in 0..<10_000 {
      state.wait(ticket, ticket: ticket)
      #expect(state.remove(ticket: ticket) == ticket)
    }
    #expect(state.queuedTickets < 50)
    #expect(state.release(slot: 0, isConnected: true) == -1)
  }

  @Test func `closing fails the waiters, and nothing starts after it`() {
    var state = PoolState<String>(slots: 1, maximumWaiters: 3)
    _ = state.acquire()
    state.wait("a", ticket: 1)
    state.wait("b", ticket: 2)
    #expect(state.close() == ["a", "b"])
    #expect(state.acquire() == .closed)
    #expect(state.release(slot: 0, isConnected: true) == nil)
  }
}

@Suite struct RingTests {
  @Test func `it keeps order while it wraps and grows`() {
    var ring = Ring<Int>()
    var next = 0
    var expected = 0
    for round in 1...50 {
      for _ in 0..<round {
        ring.append(next)
        next += 1
      }
      for _ in 0..<round / 2 {
        #expect(ring.popFirst() == expected)
        expected += 1
      }
    }
    while let element = ring.popFirst() {
      #expect(element == expected)
      expected += 1
    }
    #expect(expected == next)
    #expect(ring.isEmpty)
  }
}
