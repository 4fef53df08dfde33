// A policy that is told as news, and in pages: what is added, what is gone, and when it is one.

import Hosting
import TestTools
import Testing
import Wire

@testable import Gateway

@Suite struct PolicyIndexTests {
  private let first = Sample.policy()

  /// What is held after news of a change is what it would be, had it been told whole.
  @Test(
    arguments: [
      { $0.grants[0] = Sample.revoked },
      { $0.grants = [] },
      { $0.keys = [] },
      { $0.keys[0].secrets[0].digest = Sample.digest("key-rotated") },
      { $0.teams[0].requestsPerMinute = 3 },
      { $0.providers[0].isSuspended = true },
      { $0.models[0].aliases = [:] },
      { $0.models[0].name = "xai/grok-4" },
      { $0.routes = [] },
      { $0.served = [Sample.route(2), Sample.route(1, port: 9), Sample.route(3)] },
      { $0.models.append(Sample.model(Stream(.model, 9), "xai/new")) },
      {
        $0.models.removeFirst()
        $0.routes = []
        $0.grants = []
      },
    ] as [@Sendable (inout PolicyNews) -> Void])
  func `news make what would have been told whole`(change: @Sendable (inout PolicyNews) -> Void) {
    let next = first.next(change)
    var index = PolicyIndex(first)
    let news = next.since(first)
    index.add(news)
    index.follow(news)
    #expect(index == PolicyIndex(next))
    #expect(news.count < next.count)
  }

  @Test func `a model that is gone takes its replicas along, and says which`() {
    let next = first.next {
      $0.models.removeFirst()
      $0.routes = []
    }
    var news = next.since(first)
    news.gone.routes = []
    var index = PolicyIndex(first)
    #expect(index.isRouted(Sample.attempt(1)))
    #expect(index.add(news) == [Sample.attempt(1)])
    #expect(!index.isRouted(Sample.attempt(1)) && index.model(named: "xai/grok-3") == nil)
  }

  @Test func `what came with the news is no replica that is gone`() {
    var news = first.next().since(first)
    news.gone.routes = [Sample.attempt(1)]
    news.routes = [ModelRoute(model: Sample.model, route: Sample.route())]
    var index = PolicyIndex(first)
    #expect(index.add(news) == [Sample.attempt(1)], "what is said to be gone is")
    news.gone.routes = []
    #expect(index.add(news).isEmpty && index.isRouted(Sample.attempt(1)))
  }

  @Test func `pages are no policy before what changed since the first is there`() {
    var draft = PolicyDraft(first.page(0))
    #expect(draft.base == .init(position: 40, era: 1) && draft.next == "1")
    let later = first.revoking()
    for number in 1...4 { draft.add(later.page(number)) }
    #expect(draft.next == nil)
    var index = draft.index
    let news = later.since(first)
    index.add(news)
    index.follow(news)
    #expect(index == PolicyIndex(later))
  }

  @Test func `dates bite by the log's time where the clock is behind`() throws {
    var policy = first
    policy.grants[0].until = Sample.now.adding(seconds: 100)
    policy.keys[0].secrets[0].until = Sample.now.adding(seconds: 200)
    var state = GateState.holding(policy)
    let now = Moment(date: Sample.now, uptime: .zero)
    let key = Sample.digest(Sample.key)
    func code(_ state: inout GateState) -> String? {
      guard
        case .failure(let rejection) = state.admit(
          keyDigest: key, model: "xai/grok-3", wish: Sample.wish, now: now)
      else { return nil }
      return rejection.denial.code
    }
    #expect(code(&state) == nil)
    state.note(time: Sample.now.adding(seconds: 99))
    #expect(code(&state) == nil && state.sweep(now: now).isEmpty)
    state.note(time: Sample.now.adding(seconds: 100))
    #expect(code(&state) == "grantExpired")
    #expect(state.sweep(now: now).map(\.denial.code) == ["grantExpired", "grantExpired"])
    state.note(time: Sample.now.adding(seconds: 200))
    // What was heard earlier and arrives later changes nothing.
    state.note(time: Sample.now)
    #expect(code(&state) == "api_key_expired")
  }
}

extension WithProcesses {
  @Suite struct PolicyPagesTests {
    @Test func `a gateway that is told everything anew serves on until it has it`() async throws {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, control in
        #expect(try await gateway.chat().status == 200)
        control.tellsPages = true
        control.forgetChanges()
        control.policy = control.policy.next { $0.teams[0].requestsPerMinute = 1_000 }
        try await eventually("it is reported") { control.enforced.last == 41 }
        #expect(control.pages == 4)
        #expect(try await gateway.chat().status == 200)
        // From there on it is news again.
        control.policy = control.policy.revoking()
        try await eventually("it is reported") { control.enforced.last == 42 }
        #expect(control.pages == 4)
        #expect(try await gateway.chat().code == "grantRevoked")
      }
    }
  }
}
