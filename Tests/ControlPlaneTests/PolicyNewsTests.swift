// What gateways are told of what changed, against all there is: a policy put together from news is the one
// that is told whole, from wherever it was known and however heads went by.

import Gateway
import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite struct PolicyNewsTests {
  private let assignments = Assignments(secret: APIRig.secret, limits: .usual)

  /// A log whose heads are published one after another, and what is told of them.
  fileprivate final class Desk {
    let board = HeadBoard()
    let book: PolicyBook
    private(set) var head: Head

    init(_ assignments: Assignments, pageFacts: Int = 5_000) {
      book = PolicyBook(board: board, assignments: assignments, pageFacts: pageFacts)
      head = board.current
    }

    func publish(_ state: HostingState, _ events: some Sequence<StoredEvent>) {
      head = Head(state: state, hash: .numbered(1), standing: .leading(epoch: 1))
      board.publish(head, Array(events))
    }

    /// All there is, in as many pages as it takes, and what changed since the first.
    func whole(between pages: () throws -> Void = {}) throws -> PolicyIndex {
      switch book.answer(.init(after: nil, era: .empty), at: head) {
      case .news(let news): return PolicyIndex(news)
      case .page(let first):
        var index = PolicyIndex()
        var page = first
        index.add(page)
        while let next = page.next {
          try pages()
          guard
            case .page(let more) = book.answer(.init(after: nil, era: .empty, page: next), at: head)
          else { throw TestFailure("no page \(next)") }
          page = more
          index.add(page)
        }
        return try news(since: first.position, in: index)
      case .nothing, .unknownPage: throw TestFailure("nothing was told")
      }
    }

    /// What is held, with what changed since: all of it anew where that is not known.
    func news(since position: Position, in index: PolicyIndex) throws -> PolicyIndex {
      var index = index
      let asked = PolicyBook.Asked(after: position, era: head.witness.era)
      switch book.answer(asked, at: head) {
      case .nothing: index.follow(book.unchanged(asked, at: head))
      case .news(let news) where news.since == nil: index = PolicyIndex(news)
      case .news(let news):
        #expect(news.since == position)
        index.add(news)
        index.follow(news)
      case .page: index = try whole()
      case .unknownPage: throw TestFailure("a page was asked for")
      }
      return index
    }
  }

  @Test(arguments: 1...UInt64(12))
  func `a policy from news is the one told whole, at every head of random histories`(
    seed: UInt64
  ) throws {
    var log = try RandomLog(seed: seed)
    var random = SeededGenerator(seed: seed &+ 77)
    let desk = Desk(assignments)
    // Each looks when it likes; one at every head.
    var gateways = (0..<4).map { (every: 1 << (2 * $0), index: PolicyIndex()) }
    var published = 0
    while published < 1_500 {
      try log.grow(by: Int.random(in: 1...12, using: &random))
      if published > 1_000, published < 1_020 { try log.addSeldom() }
      desk.publish(log.state, log.events[published...])
      published = log.events.count
      let whole = try Desk(assignments, of: desk).whole()
      for number in gateways.indices
      where Int.random(in: 0..<gateways[number].every, using: &random) == 0 {
        let known = gateways[number].index
        gateways[number].index = try desk.news(since: known.position, in: known)
        #expect(gateways[number].index == whole, "at \(log.state.position) of \(known.position)")
      }
    }
  }

  @Test(arguments: 1...UInt64(4))
  func `pages of heads that go by make the policy of the last of them`(seed: UInt64) throws {
    var log = try RandomLog(seed: seed)
    let desk = Desk(assignments, pageFacts: 7)
    try log.grow(by: 800)
    var published = 0
    func goOn() {
      desk.publish(log.state, log.events[published...])
      published = log.events.count
    }
    goOn()
    var pages = 0
    let index = try desk.whole {
      try log.grow(by: 15)
      goOn()
      pages += 1
    }
    #expect(pages > 5)
    #expect(try index == Desk(assignments, of: desk).whole())
  }

  @Test func `ends that a team remembers no more are gone from a policy from news, too`() throws {
    var world = World()
    try world.addProvider("xai")
    try world.perform(RegisterTeam(name: "copilot", audience: .internal))
    let models = try (0..<4 * Team.endedGrantsKept).map {
      try ModelReference(jsonText: "xai/m\($0)")
    }
    for model in models {
      try world.addModel(model, needs: .devices(1))
      try world.perform(PublishModel(model: model, audience: .internal, stage: .general))
      try world.perform(GrantAccess(team: "copilot", model: model))
    }
    let desk = Desk(assignments)
    desk.publish(world.state, [])
    var index = try desk.whole()
    // At last so many at once that the team has forgotten twice, and remembers as many as before.
    let single = models.prefix(2 * Team.endedGrantsKept - 56)
    let atOnce = models.dropFirst(single.count).prefix(2 * Team.endedGrantsKept)
    for some in single.map({ [$0] }) + [Array(atOnce)] {
      let before = world.state.position
      var events: [NewEvent] = []
      for model in some {
        events += try world.perform(RevokeAccess(team: "copilot", model: model))
      }
      desk.publish(world.state, Self.stored(events, after: before, world))
      index = try desk.news(since: index.position, in: index)
    }
    #expect(try index == Desk(assignments, of: desk).whole())
  }

  /// - Parameter fact: what the command has gateways told.
  @Test(arguments: [
    (
      "a revocation", RevokeAccess(team: "team0", model: "xai/m0") as any Command & Sendable,
      "grants"
    ),
    ("a team that may use nothing yet", RegisterTeam(name: "new", audience: .internal), "teams"),
  ])
  func `news of one thing are that thing, as short in a large world as in a small one`(
    what: String, command: any Command & Sendable, fact: String
  ) throws {
    func bytes(teams: Int, models: Int) throws -> Int {
      var world = World()
      try world.addProvider("xai")
      for number in 0..<models {
        let model = try ModelReference(jsonText: "xai/m\(number)")
        try world.addModel(model, needs: .devices(1))
        try world.perform(PublishModel(model: model, audience: .internal, stage: .general))
      }
      for number in 0..<teams {
        let team = Name(known: "team\(number)")
        try world.perform(RegisterTeam(name: team, audience: .internal))
        for model in 0..<min(models, 20) {
          try world.perform(
            GrantAccess(team: team, model: try ModelReference(jsonText: "xai/m\(model)")))
        }
      }
      let desk = Desk(assignments)
      desk.publish(world.state, [])
      _ = try desk.whole()
      let before = world.state.position
      let events = try world.perform(command)
      desk.publish(world.state, Self.stored(events, after: before, world))
      guard
        case .news(let news) = desk.book.answer(
          .init(after: before, era: desk.head.witness.era), at: desk.head)
      else { throw TestFailure("no news") }
      #expect(news.count == 1 && (fact == "grants" ? news.grants.count : news.teams.count) == 1)
      #expect(news.grants.allSatisfy { $0.ended == .revoked })
      return news.jsonBytes.count
    }
    let (small, large) = (try bytes(teams: 1, models: 1), try bytes(teams: 40, models: 60))
    #expect(large < 1_000 && large < small + 20, "\(small) and \(large) bytes")
  }

  private static func stored(
    _ events: [NewEvent], after position: Position, _ world: World
  ) -> [StoredEvent] {
    var position = position
    return events.map { event in
      position = position.next
      return StoredEvent(
        position: position, stream: event.stream, type: type(of: event.body).type,
        schemaVersion: type(of: event.body).schemaVersion, data: event.body.jsonBytes,
        metadata: [], commandID: .random(), commandHash: nil, correlationID: .random(),
        causation: nil,
        actor: .wharfd, recordedAt: world.now, hash: .zero)
    }
  }

  @Test func `who knows more or of another era, or asks after too long, is told everything`() throws
  {
    var log = try RandomLog(seed: 3)
    try log.grow(by: 300)
    let desk = Desk(assignments)
    desk.publish(log.state, log.events)
    let era = desk.head.witness.era
    func isWhole(_ after: Position, _ era: Position) -> Bool {
      guard case .news(let news) = desk.book.answer(.init(after: after, era: era), at: desk.head)
      else { return false }
      return news.since == nil
    }
    #expect(!isWhole(desk.head.state.position, era))
    #expect(isWhole(desk.head.state.position.next, era), "of what is yet to come")
    #expect(isWhole(desk.head.state.position, era.next))
    #expect(isWhole(10, era), "the book begins where it was first asked")
    // A gap in what was published: what lies in it is not known.
    let position = desk.head.state.position
    try log.grow(by: 5)
    desk.publish(log.state, [])
    #expect(isWhole(position, era))
    guard
      case .unknownPage = desk.book.answer(
        .init(after: nil, era: era, page: "teams.x"), at: desk.head)
    else {
      Issue.record("a page that is none")
      return
    }
  }

  @Test func `of more facts than are kept the oldest are told by telling everything`() {
    func team(_ number: Int64) -> PolicyFact { .team(ID(Position(number))) }
    var changes = PolicyChanges(knowing: 10, limit: 3)
    func since(_ position: Position) -> Set<PolicyFact>? {
      changes.since(position).map { Set($0) }
    }
    changes.note([team(1)], through: 11)
    changes.note([team(2)], through: 12)
    changes.note([team(1)], through: 13)
    #expect(since(10) == [team(1), team(2)])
    #expect(since(12) == [team(1)])
    #expect(since(13) == [])
    #expect(since(9) == nil)
    changes.note([team(3), team(4)], through: 14)
    #expect(since(11) == nil && changes.base == 12)
    #expect(since(12) == [team(1), team(3), team(4)])
    changes.note([], through: 20)
    #expect(changes.lastChange == 14 && changes.through == 20)
    // However often the same change, what is kept does not grow.
    for position in 21...500 as ClosedRange<Int64> {
      changes.note([team(9)], through: Position(position))
    }
    #expect(changes.kept <= 6)
  }
}

extension PolicyNewsTests.Desk {
  /// Another one at the same head, which knows nothing of before.
  fileprivate convenience init(_ assignments: Assignments, of other: PolicyNewsTests.Desk) {
    self.init(assignments)
    publish(other.head.state, [])
  }
}
