// The gateway's state machine: lease, quotas, routes, and what a new policy ends.

import HTTPTypes
import Hosting
import Testing
import Wire

@testable import Gateway

@Suite struct GateStateTests {
  let key = Sample.digest(Sample.key)

  func at(_ seconds: Double) -> Moment {
    Moment(date: Sample.now, uptime: .milliseconds(Int64(seconds * 1000)))
  }

  func admit(
    _ state: inout GateState, _ seconds: Double = 0
  ) -> Result<GateState.Admission, Rejection> {
    state.admit(keyDigest: key, model: "xai/grok-3", now: at(seconds))
  }

  // MARK: Lease

  @Test func `without a policy nothing is answered`() {
    var state = GateState(limits: GatewayLimits())
    #expect(admit(&state).denial == .noLease)
  }

  @Test func `a lease ends so long after its request was sent, and a new one counts anew`() {
    var state = GateState.holding(Sample.policy(), until: 10)
    #expect(admit(&state, 9.999).denial == nil)
    #expect(admit(&state, 10).denial == .noLease)
    state.renewLease(sentAt: .seconds(8), seconds: 10)
    #expect(admit(&state, 17.999).denial == nil)
    #expect(admit(&state, 18).denial == .noLease)
  }

  @Test func `what is in flight is cut before the lease ends, once`() throws {
    var state = GateState.holding(Sample.policy(), until: 10)
    let id = try admit(&state).get().id
    #expect(state.sweep(now: at(9.7)) == [])
    #expect(state.sweep(now: at(9.8)) == [.init(id: id, denial: .noLease)])
    #expect(state.sweep(now: at(9.9)) == [])
    #expect(state.isCutting)
    state.finish(id, tokens: 0)
    #expect(!state.isCutting)
  }

  // MARK: Policies

  @Test func `a policy that revokes ends what runs by the grant and lets all else run on`() throws {
    var policy = Sample.policy()
    policy.teams[0].grants.append(Sample.grant(Stream(.model, 9)))
    policy.models.append(Sample.model(Stream(.model, 9), "xai/other"))
    var state = GateState.holding(policy)
    let revoked = try admit(&state).get().id
    let kept = try state.admit(keyDigest: key, model: "xai/other", now: at(0)).get().id
    let next = policy.next { next in
      next.teams[0].grants.removeFirst()
      next.teams[0].refusals.append(Sample.revoked)
    }
    let cuts = state.apply(PolicyIndex(next), now: at(1))
    #expect(cuts.map(\.id) == [revoked])
    #expect(cuts.first?.denial.code == "grantRevoked")
    #expect(state.inFlight[kept]?.isCut == false)
    #expect(admit(&state, 1).denial?.code == "grantRevoked")
  }

  @Test func `a revoked key ends what runs by it`() throws {
    var state = GateState.holding(Sample.policy())
    let id = try admit(&state).get().id
    let cuts = state.apply(PolicyIndex(Sample.policy().next { $0.keys = [] }), now: at(1))
    #expect(cuts == [.init(id: id, denial: .unknownKey)])
  }

  @Test func `a replica that leaves the policy finishes what it answers`() throws {
    var state = GateState.holding(Sample.policy())
    _ = try admit(&state).get()
    let drained = Sample.policy().next { $0.models[0].routes = [] }
    #expect(state.apply(PolicyIndex(drained), now: at(1)) == [])
  }

  @Test func `a grant that runs out ends what runs by it though nothing was heard`() throws {
    var policy = Sample.policy()
    policy.teams[0].grants[0].notAfter = Sample.now.adding(seconds: 5)
    var state = GateState.holding(policy)
    _ = try admit(&state).get()
    #expect(state.sweep(now: at(1)) == [])
    let later = Moment(date: Sample.now.adding(seconds: 5), uptime: .seconds(5))
    #expect(state.sweep(now: later).map(\.denial.code) == ["grantExpired"])
  }

  // MARK: Quotas

  @Test func `a minute's requests pass at once, then one each time its share has filled`() {
    var policy = Sample.policy()
    policy.teams[0].grants[0].requestsPerMinute = 6
    var state = GateState.holding(policy, until: 1000)
    for _ in 0..<6 { #expect(admit(&state).denial == nil) }
    #expect(admit(&state).denial?.status == 429)
    #expect(admit(&state).denial?.retryAfterSeconds == 10)
    #expect(admit(&state, 9.9).denial?.status == 429)
    #expect(admit(&state, 10).denial == nil)
    #expect(admit(&state, 10).denial?.status == 429)
  }

  @Test func `a team's limit holds over all its models`() {
    var policy = Sample.policy()
    policy.teams[0].requestsPerMinute = 1
    policy.teams[0].grants.append(Sample.grant(Stream(.model, 9)))
    policy.models.append(Sample.model(Stream(.model, 9), "xai/other"))
    var state = GateState.holding(policy)
    #expect(admit(&state).denial == nil)
    let other = state.admit(keyDigest: key, model: "xai/other", now: at(0))
    #expect(other.denial?.code == "rate_limit_exceeded")
    #expect(other.denial?.message.contains("the team 'copilot'") == true)
  }

  @Test func `tokens are charged afterwards and a debt is waited out`() throws {
    var policy = Sample.policy()
    policy.teams[0].grants[0].tokensPerMinute = 60
    var state = GateState.holding(policy, until: 1000)
    state.finish(try admit(&state).get().id, tokens: 90)
    let refused = admit(&state).denial
    let denial = try #require(refused)
    #expect(denial.status == 429)
    #expect(denial.type == "tokens")
    #expect(denial.retryAfterSeconds == 31)
    #expect(admit(&state, 29).denial?.status == 429)
    #expect(admit(&state, 31).denial == nil)
  }

  @Test func `a refused request takes nothing from a quota`() throws {
    var policy = Sample.policy()
    policy.teams[0].grants[0].requestsPerMinute = 1
    policy.models[0].routes = []
    var state = GateState.holding(policy)
    #expect(admit(&state).denial?.code == "no_ready_replica")
    _ = state.apply(PolicyIndex(policy.next { $0.models[0].routes = [Sample.route()] }), now: at(0))
    #expect(admit(&state).denial == nil)
  }

  @Test func `quotas of what left the policy are forgotten`() {
    var book = QuotaBook()
    for number in 0..<1000 {
      var policy = Sample.policy()
      policy.teams[0].grants[0] = Sample.grant(
        Stream(.model, Position(Int64(number + 10))), requestsPerMinute: 1)
      policy.models[0].id = policy.teams[0].grants[0].model
      let index = PolicyIndex(policy)
      let decision = index.decide(
        keyDigest: key, model: "xai/grok-3", now: Sample.now, lease: true)
      _ = book.admit(decision.permission!, now: .zero)
      book.retain(index)
    }
    #expect(book.count == 1)
  }

  @Test func `no quota and no count of tokens is too large to be reckoned with`() throws {
    var policy = Sample.policy()
    policy.teams[0].requestsPerMinute = .max
    policy.teams[0].grants[0].tokensPerMinute = 1
    var state = GateState.holding(policy, until: 1000)
    let admission = try admit(&state).get()
    #expect(admission.quota.requests?.remaining == .max)
    state.finish(admission.id, tokens: .max)
    guard case .failure(let rejection) = admit(&state) else {
      Issue.record("a debt was forgotten")
      return
    }
    #expect(rejection.denial.retryAfterSeconds == .max)
    var fields = HTTPFields()
    Headers.write(try #require(rejection.quota), to: &fields)
    #expect(fields[HTTPField.Name("x-ratelimit-reset-tokens")!]?.hasSuffix("s") == true)
  }

  @Test func `no more is in flight than the limit`() {
    var limits = GatewayLimits()
    limits.requestsInFlight = 2
    var state = GateState.holding(Sample.policy(), limits: limits)
    _ = (admit(&state), admit(&state))
    #expect(admit(&state).denial == .overloaded)
  }

  // MARK: Routes

  func twoRoutes() -> GateState {
    var policy = Sample.policy()
    policy.models[0].routes = [Sample.route(1), Sample.route(2)]
    return .holding(policy, until: 1000)
  }

  @Test func `the replica with the fewest requests is asked, ties in turn`() throws {
    var state = twoRoutes()
    let first = try admit(&state).get()
    let second = try admit(&state).get()
    #expect(Set([first.route.attempt, second.route.attempt]).count == 2)
    state.finish(second.id, tokens: 0)
    for _ in 0..<3 {
      let next = try admit(&state).get()
      #expect(next.route.attempt == second.route.attempt)
      state.finish(next.id, tokens: 0)
    }
    state.finish(first.id, tokens: 0)
    let turns = try (0..<4).map { _ in
      let next = try admit(&state).get()
      state.finish(next.id, tokens: 0)
      return next.route.attempt
    }
    #expect(turns[0] == turns[2] && turns[1] == turns[3] && turns[0] != turns[1])
  }

  @Test func `a replica that failed rests, and is asked all the same when it is the last`() throws {
    var state = twoRoutes()
    let first = try admit(&state).get()
    let moved = state.move(first.id, again: false, now: at(0))
    let other = try #require(moved)
    #expect(other.attempt != first.route.attempt)
    let third = state.move(first.id, again: false, now: at(0))
    #expect(third == nil, "both were tried")
    state.finish(first.id, tokens: 0)
    // Both rest: the gateway would rather try than refuse.
    #expect(try admit(&state, 1).get().route.attempt == first.route.attempt)
    // After the rest the other one, which has fewer requests.
    #expect(try admit(&state, 6).get().route.attempt == other.attempt)
  }

  @Test func `a request that was cut is not moved to another replica`() throws {
    var state = twoRoutes()
    let id = try admit(&state).get().id
    _ = state.apply(PolicyIndex(Sample.policy().revoking()), now: at(0))
    #expect(state.move(id, again: true, now: at(0)) == nil)
  }
}

extension Result<GateState.Admission, Rejection> {
  var denial: Denial? { if case .failure(let rejection) = self { rejection.denial } else { nil } }
}
