// `GET /v1/gateway/policy`: what a gateway decides by, as what changed since it last asked, by long-poll.

import EventLog
import HTTPTypes
import HashTreeCollections
import Hosting
import Hummingbird
import ServiceLifecycle
import Time
import Wire

extension GatewayRoutes {
  func policy(_ request: Request) async throws -> Response {
    guard try request.wholeNumber("form") ?? 1 >= PolicyNews.form else {
      return try await wholePolicy(request)
    }
    let after = try request.wholeNumber("after").map { Position(Int64($0)) }
    let asked = PolicyBook.Asked(
      after: after, era: Position(Int64(try request.wholeNumber("era") ?? 0)),
      page: request.uri.queryParameters["page"].map(String.init))
    let enforcing = Position(Int64(try request.wholeNumber("enforcing") ?? 0))
    let wait = try request.wholeNumber("wait").map { min($0, Self.longestWaitSeconds) }
    let deadline = member.clocks.now + .seconds(wait ?? 0)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send([], request, to: address, waitSeconds: wait ?? 0)
    }
    // What was seen of another era says nothing of where this one is.
    var head = try await source.head(atLeast: .empty)
    if asked.era == head.witness.era {
      head = try await source.head(atLeast: max(after ?? .empty, enforcing))
    }
    var process: GatewayProcess?
    while true {
      let caller = try await caller(request, &head)
      var epoch: Position
      (head, epoch) = try leading(head)
      // Whoever asked may be gone meanwhile, and another in its place: it is not made known once more.
      if let process, head.state.gatewayProcesses[process.id] == nil { throw policyNeeded(head) }
      process = try await self.process(caller, &head, epoch)
      note(policyAt: head, epoch)
      let isOver =
        deadline <= member.clocks.now || Task.isShuttingDownGracefully || Task.isCancelled
      switch policies.answer(asked, at: head) {
      case .unknownPage:
        throw APIError.badParameter(
          "page", asked.page ?? "", wanted: "what the page before it said is next")
      case .page(let page): return .json(page.jsonBytes, head: head)
      case .news(let news):
        if try give(caller, process, enforcing: enforcing, withPolicy: true, head, epoch) == .given
        {
          return .json(news.jsonBytes, head: head)
        }
      case .nothing where wait == nil:
        if try give(caller, process, enforcing: enforcing, withPolicy: true, head, epoch) == .given
        {
          return .json(policies.unchanged(asked, at: head).jsonBytes, head: head)
        }
      case .nothing where isOver:
        switch try give(caller, process, enforcing: enforcing, head, epoch) {
        case .given: return .nothingNew(head: member.board.current)
        // It has all there is: what it lacks is to be told so.
        case .policyNeeded:
          if try give(caller, process, enforcing: enforcing, withPolicy: true, head, epoch)
            == .given
          {
            return .json(policies.unchanged(asked, at: head).jsonBytes, head: head)
          }
        case .stale: break
        }
      case .nothing:
        await changes.pause(
          for: subjects(of: caller), after: head, upTo: deadline - member.clocks.now)
      }
      head = member.board.current
    }
  }

  /// While it waits for the policy, its process may end, it may be removed, and another may come to lead, who
  /// alone can tell it more.
  func subjects(of caller: Caller) -> [Subject] {
    [.policy, .stream(caller.gateway.stream), .standing]
  }

  /// The policy in force at a head, and up to where it is the one.
  func note(policyAt head: Head, _ epoch: Position) {
    book.note(
      policy: policies.lastChange(at: head), through: head.state.position, epoch: epoch,
      at: member.clocks.now)
  }
}
