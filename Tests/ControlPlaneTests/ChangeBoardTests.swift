// Long polls are woken by what they ask about, and by nothing else.

import HashTreeCollections
import Hosting
import Planner
import Synchronization
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

@Suite(.bounded) struct ChangeBoardTests {
  private struct Desk {
    let board = HeadBoard()
    let changes: ChangeBoard

    init() {
      let assignments = Assignments(secret: APIRig.secret, limits: .usual)
      changes = ChangeBoard(
        board: board, policies: PolicyBook(board: board, assignments: assignments))
    }

    func publish(
      _ log: RandomLog, from published: Int, standing: Standing = .leading(epoch: 1)
    ) -> Head {
      let head = Head(state: log.state, hash: .numbered(1), standing: standing)
      board.publish(head, Array(log.events[published...]))
      return head
    }
  }

  private final class Woken: Sendable {
    let subjects = Mutex<Set<Subject>>([])
  }

  /// Waits, and whether they were over before they were told to be.
  private struct Waits {
    private let woken = Woken()
    private let tasks: [Task<Void, Never>]

    init(_ subjects: [Subject], after head: Head, _ changes: ChangeBoard) {
      tasks = subjects.map { [woken] subject in
        Task {
          await changes.pause(for: [subject], after: head, upTo: .seconds(7_200))
          if !Task.isCancelled { woken.subjects.withLock { _ = $0.insert(subject) } }
        }
      }
    }

    /// Those that were woken; the others are given up.
    func end(expecting count: Int) async throws -> Set<Subject> {
      try await eventually("\(count) are woken") {
        woken.subjects.withLock { $0.count } >= count
      }
      for task in tasks { task.cancel() }
      for task in tasks { await task.value }
      return woken.subjects.withLock { $0 }
    }
  }

  @Test(arguments: 1...UInt64(6))
  func `an event wakes those whom it concerns, and nobody else`(seed: UInt64) async throws {
    var log = try RandomLog(seed: seed)
    var random = SeededGenerator(seed: seed &+ 9)
    let desk = Desk()
    try log.grow(by: 400)
    var head = desk.publish(log, from: 0)
    desk.changes.tell(head)
    var (woken, slept) = (0, 0)
    for _ in 0..<60 {
      let published = log.events.count
      let old = head.state
      let streams = Set(log.events.map(\.stream))
      let subjects =
        old.nodes.byID.keys.map { Subject.assignment($0) } + streams.map { .stream($0) }
        + [.policy, .standing]
      let waits = Waits(subjects, after: head, desk.changes)
      try await eventually("all wait") { desk.changes.waitingCount == subjects.count }
      try log.grow(by: Int.random(in: 1...3, using: &random))
      let policies = PolicyBook(
        board: desk.board, assignments: Assignments(secret: APIRig.secret, limits: .usual))
      _ = policies.lastChange(at: head)
      head = desk.publish(log, from: published)
      desk.changes.tell(head)
      var expected: Set<Subject> = []
      for node in old.nodes.byID.keys
      where old.nodes[node]?.generation != head.state.nodes[node]?.generation {
        expected.insert(.assignment(node))
      }
      for event in log.events[published...] where streams.contains(event.stream) {
        expected.insert(.stream(event.stream))
      }
      if policies.lastChange(at: head) > old.position { expected.insert(.policy) }
      #expect(try await waits.end(expecting: expected.count) == expected)
      woken += expected.count
      slept += subjects.count - expected.count
    }
    #expect(woken > 60 && slept > woken)
    #expect(desk.changes.waitingCount == 0)
  }

  @Test func `a wait after a head that is past already is over at once`() async throws {
    var log = try RandomLog(seed: 3)
    let desk = Desk()
    try log.grow(by: 50)
    let early = desk.publish(log, from: 0)
    desk.changes.tell(early)
    let published = log.events.count
    try log.grow(by: 5)
    desk.changes.tell(desk.publish(log, from: published))
    // What changed between the two it may have missed.
    await desk.changes.pause(for: [.policy], after: early, upTo: .seconds(7_200))
    // And also who leads, while the log stays as it is.
    let leading = desk.publish(log, from: log.events.count)
    desk.changes.tell(leading)
    desk.changes.tell(desk.publish(log, from: log.events.count, standing: .following(address: "b")))
    await desk.changes.pause(for: [.standing], after: leading, upTo: .seconds(7_200))
  }

  @Test func `who comes to lead, and a log of which events are missing, wake everybody`()
    async throws
  {
    var log = try RandomLog(seed: 4)
    let desk = Desk()
    try log.grow(by: 50)
    let head = desk.publish(log, from: 0)
    desk.changes.tell(head)
    let waits = Waits([.standing, .policy], after: head, desk.changes)
    try await eventually("both wait") { desk.changes.waitingCount == 2 }
    let deposed = desk.publish(log, from: log.events.count, standing: .following(address: "b"))
    desk.changes.tell(deposed)
    #expect(try await waits.end(expecting: 1) == [.standing])
    let published = log.events.count
    try log.grow(by: 5)
    let all = Waits([.standing, .policy, .stream(.log)], after: deposed, desk.changes)
    try await eventually("all wait") { desk.changes.waitingCount == 3 }
    desk.changes.tell(desk.publish(log, from: published + 2))
    #expect(try await all.end(expecting: 3).count == 3)
  }

  @Test func `while it runs, what is published wakes by itself, and a stop ends all`() async throws
  {
    var log = try RandomLog(seed: 5)
    let desk = Desk()
    try log.grow(by: 50)
    let head = desk.publish(log, from: 0)
    let running = Task { try await desk.changes.run() }
    let published = log.events.count
    let waiting = Task {
      await desk.changes.pause(for: [.stream(.log)], after: head, upTo: .seconds(7_200))
    }
    while !log.events[published...].contains(where: { $0.stream == .log }) { try log.grow(by: 1) }
    _ = desk.publish(log, from: published)
    await waiting.value
    running.cancel()
    try await running.value
  }
}
