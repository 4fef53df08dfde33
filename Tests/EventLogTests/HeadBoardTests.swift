// Waiting at the head: for a position, for a time, or until one does not want to any more.

import Hosting
import TestKit
import Testing

@testable import EventLog

@Suite(.bounded) struct HeadBoardTests {
  private func head(at count: Int) throws -> Head {
    var history = try RandomHistory(seed: 1)
    try history.grow(to: count)
    return Head(
      state: try history.state(after: count), hash: Chain.origin, standing: .starting)
  }

  @Test func `who waits gets the head that reaches the position, and no earlier one`() async throws
  {
    let board = HeadBoard()
    async let waited = board.wait(for: 2, upTo: .seconds(7_200))
    board.publish(try head(at: 1))
    board.publish(try head(at: 2))
    #expect(await waited?.state.position == 2)
    #expect(await board.wait(for: 1, upTo: .zero)?.state.position == 2)
  }

  @Test func `who waits for another standing gets it, though no event came`() async throws {
    let board = HeadBoard()
    async let waited = board.wait(for: .leader(otherThan: "a"), upTo: .seconds(7_200))
    let head = try head(at: 1)
    board.publish(head)
    board.publish(
      Head(state: head.state, hash: head.hash, standing: .following(address: "a")))
    board.publish(Head(state: head.state, hash: head.hash, standing: .leading(epoch: 7)))
    #expect(await waited?.standing == .leading(epoch: 7))
    board.publish(
      Head(state: head.state, hash: head.hash, standing: .following(address: "a")))
    #expect(
      await board.wait(for: .leader(otherThan: "a"), upTo: .milliseconds(1)) == nil)
  }

  @Test func `events are kept for those who follow, until all of them have taken them`() throws {
    var history = try RandomHistory(seed: 1)
    try history.grow(to: 60)
    let board = HeadBoard()
    func publish(_ range: ClosedRange<Int>) throws {
      let events = range.map { position in
        StoredEvent(
          position: Position(Int64(position)), stream: .log, type: "providerRegistered",
          schemaVersion: 1, data: [], metadata: [], commandID: .random(), commandHash: nil,
          correlationID: .random(), causation: nil, actor: .wharfd,
          recordedAt: Timestamp(microseconds: 1), hash: .zero)
      }
      board.publish(
        Head(
          state: try history.state(after: range.upperBound), hash: Chain.origin,
          standing: .starting), events)
    }
    func positions(_ events: [StoredEvent]?) -> [Int]? { events?.map { Int($0.position.value) } }

    try publish(1...10)
    #expect(board.kept == 0, "nobody follows")
    let (quick, slow) = (board.follower(from: 10), board.follower(from: 10))
    try publish(11...20)
    #expect(positions(quick.take(through: 20)) == Array(11...20))
    #expect(positions(quick.take(through: 15)) == [])
    #expect(board.kept == 10, "one has not taken them")
    try publish(21...30)
    #expect(positions(slow.take(through: 20)) == Array(11...20))
    #expect(positions(slow.take(through: 30)) == Array(21...30))
    #expect(positions(quick.take(through: 30)) == Array(21...30))
    #expect(board.kept == 0)

    do {
      let late = board.follower(from: 20)
      try publish(31...40)
      #expect(late.take(through: 40) == nil, "those after 20 were let go of before it came")
      try publish(41...50)
      #expect(positions(late.take(through: 50)) == Array(41...50))
    }
    #expect(positions(quick.take(through: 50)) == Array(31...50))
    #expect(positions(slow.take(through: 50)) == Array(31...50))
    #expect(board.kept == 0, "who is let go of holds up nothing")
    try publish(51...60)
    #expect(board.kept == 10)
  }

  @Test func `who waits in vain is told so when the time is over`() async {
    #expect(await HeadBoard().wait(for: 1, upTo: .milliseconds(1)) == nil)
    #expect(await HeadBoard().wait(for: 1, upTo: .zero) == nil)
  }

  @Test func `waits that are given up leave nothing behind, and others are reached in order`()
    async throws
  {
    let board = HeadBoard()
    for position in 1...1_000 {
      _ = await board.wait(for: Position(Int64(1_000_000 + position)), upTo: .nanoseconds(1))
      _ = await board.wait(for: .leader(otherThan: "http://one"), upTo: .nanoseconds(1))
    }
    #expect(board.awaited < 100)
    async let first = board.wait(for: 1, upTo: .seconds(7_200))
    async let second = board.wait(for: 2, upTo: .seconds(7_200))
    try await eventually("both wait") { board.awaited >= 2 }
    board.publish(try head(at: 1))
    #expect(await first?.state.position == 1)
    board.publish(try head(at: 2))
    #expect(await second?.state.position == 2)
  }

  @Test(arguments: 0..<200) func `who is cancelled, before or after, waits no longer`(
    yields: Int
  ) async {
    let board = HeadBoard()
    let waiting = Task { await board.wait(for: 1, upTo: .seconds(7_200)) }
    for _ in 0..<yields % 5 { await Task.yield() }
    waiting.cancel()
    #expect(await waiting.value == nil)
  }
}
