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
    state.admit(keyDigest: key, model: "xai/grok-3", wish: Sample.wish, now: at(seconds))
  }

  @Test func `what lost its route lingers until it has answered`() throws {
    var state = GateState.holding(Sample.policy(), until: 10)
    let admission = try admit(&state).get()
    #expect(state.lingering == [])
    let without = Sample.policy().next { next in
      next.routes = []
    }
    #expect(state.apply(PolicyIndex(without), now: at(1)).isEmpty)
    #expect(state.lingering == [admission.route.attempt])
    state.finish(admission.id, tokens: 1, now: .seconds(2))
    #expect(state.lingering == [])
  }

  // MARK: Lease

  /// Ten seconds more.
  private func renew(
    _ state: inout GateState, sentAt: Int, withPolicy: Bool, now: Int
  ) -> Bool {
    state.renewLease(
      sentAt: .seconds(sentAt), seconds: 10, withPolicy: withPolicy, now: .seconds(now))
  }

  @Test func `without a policy nothing is answered`() {
    var state = GateState(limits: GatewayLimits())
    #expect(admit(&state).denial == .noLease)
  }

  @Test func `a lease ends so long after its request was sent, and a new one counts anew`() {
    var state = GateState.holding(Sample.policy(), until: 10)
    #expect(admit(&state, 9.749).denial == nil)
    #expect(admit(&state, 9.75).denial == .noLease)
    #expect(!renew(&state, sentAt: 8, withPolicy: false, now: 10))
    #expect(admit(&state, 10).denial == .noLease, "once over, only a policy brings it back")
    #expect(renew(&state, sentAt: 8, withPolicy: true, now: 10))
    #expect(admit(&state, 17.749).denial == nil)
    #expect(admit(&state, 17.75).denial == .noLease)
  }

  @Test func `answers that come in another order take nothing away`() {
    var state = GateState.holding(Sample.policy(), until: 10)
    #expect(renew(&state, sentAt: 5, withPolicy: false, now: 6))
    #expect(renew(&state, sentAt: 1, withPolicy: false, now: 7))
    #expect(state.leaseLeft(.seconds(7)) == .seconds(8))
  }

  @Test func `in grace it serves by what it knows, and then nothing`() {
    var policy = Sample.policy()
    policy.graceSeconds = 20
    var state = GateState.holding(policy, until: 10)
    #expect(
      state.leaseLeft(.seconds(12)) == .zero && state.servingLeft(.seconds(12)) == .seconds(18))
    #expect(admit(&state, 29.7).denial == nil)
    #expect(renew(&state, sentAt: 29, withPolicy: false, now: 29))
    #expect(state.leaseLeft(.seconds(30)) == .seconds(9))
    #expect(admit(&state, 59).denial == .noLease)
    let shorter = policy.next { $0.graceSeconds = 0 }
    let cuts = state.apply(PolicyIndex(shorter), now: at(40))
    #expect(cuts.isEmpty)
    #expect(admit(&state, 40).denial == .noLease, "the grace is that of the policy it has")
  }

  @Test func `told to serve no more, it cuts what runs at once`() throws {
    var policy = Sample.policy()
    policy.graceSeconds = 20
    var state = GateState.holding(policy, until: 10)
    let id = try admit(&state).get().id
    let cuts = state.endLease(now: at(1))
    #expect(cuts == [.init(id: id, denial: .noLease)])
    #expect(admit(&state, 1).denial == .noLease)
  }

  @Test func `none is let in that the next moment would cut for want of a lease`() throws {
    var policy = Sample.policy()
    for grace in [0, 20] {
      policy.graceSeconds = grace
      for milliseconds in stride(from: 8_000, through: 31_000, by: 50) {
        var state = GateState.holding(policy, until: 10)
        let now = at(Double(milliseconds) / 1_000)
        guard
          case .success(let admission) = state.admit(
            keyDigest: key, model: "xai/grok-3", wish: Sample.wish, now: now)
        else { continue }
        #expect(state.sweep(now: now) == [], "\(milliseconds) ms, \(admission.id)")
      }
    }
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
    policy.grants.append(Sample.grant(Stream(.model, 9)))
    policy.models.append(Sample.model(Stream(.model, 9), "xai/other"))
    policy.routes.append(ModelRoute(model: Stream(.model, 9), route: Sample.route(9)))
    var state = GateState.holding(policy)
    let revoked = try admit(&state).get().id
    let kept = try state.admit(
      keyDigest: key, model: "xai/other", wish: Sample.wish, now: at(0)
    ).get().id
    let next = policy.revoking()
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
    let drained = Sample.policy().next { $0.served = [] }
    #expect(state.apply(PolicyIndex(drained), now: at(1)) == [])
  }

  @Test func `a grant that runs out ends what runs by it though nothing was heard`() throws {
    var policy = Sample.policy()
    policy.grants[0].until = Sample.now.adding(seconds: 5)
    var state = GateState.holding(policy)
    _ = try admit(&state).get()
    #expect(state.sweep(now: at(1)) == [])
    let later = Moment(date: Sample.now.adding(seconds: 5), uptime: .seconds(5))
    #expect(state.sweep(now: later).map(\.denial.code) == ["grantExpired"])
  }

  // MARK: Quotas

  @Test func `a minute's requests pass at once, and the next when the first are a minute ago`() {
    var policy = Sample.policy()
    policy.grants[0].requestsPerMinute = 6
    var state = GateState.holding(policy, until: 1000)
    for _ in 0..<6 { #expect(admit(&state).denial == nil) }
    #expect(admit(&state).denial?.status == 429)
    #expect(admit(&state).denial?.retryAfterSeconds == 61)
    #expect(admit(&state, 60.9).denial?.status == 429)
    for _ in 0..<6 { #expect(admit(&state, 61).denial == nil) }
    #expect(admit(&state, 61).denial?.status == 429)
  }

  @Test(arguments: 1...8) func `no minute has more requests than the limit, wherever it begins`(
    seed: UInt64
  ) {
    var random = SplitMix(seed: seed)
    let limit = Int.random(in: 1...20, using: &random)
    var policy = Sample.policy()
    policy.grants[0].requestsPerMinute = limit
    var state = GateState.holding(policy, until: 10_000)
    var now = 0.0
    var passed: [Double] = []
    for _ in 0..<2000 {
      now += Double.random(in: 0...3, using: &random)
      guard case .success(let admission) = admit(&state, now) else { continue }
      state.finish(admission.id, tokens: 0)
      passed.append(now)
    }
    for (index, first) in passed.enumerated() where index + limit < passed.count {
      #expect(passed[index + limit] - first >= 60)
    }
    let minutes = now / 60
    #expect(Double(passed.count) > 0.95 * Double(limit) * (minutes - 1) * 60 / 61)
  }

  @Test func `a team's limit holds over all its models`() {
    var policy = Sample.policy()
    policy.teams[0].requestsPerMinute = 1
    policy.grants.append(Sample.grant(Stream(.model, 9)))
    policy.models.append(Sample.model(Stream(.model, 9), "xai/other"))
    policy.routes.append(ModelRoute(model: Stream(.model, 9), route: Sample.route(9)))
    var state = GateState.holding(policy)
    #expect(admit(&state).denial == nil)
    let other = state.admit(
      keyDigest: key, model: "xai/other", wish: Sample.wish, now: at(0))
    #expect(other.denial?.code == "rate_limit_exceeded")
    #expect(other.denial?.message.contains("the team 'copilot'") == true)
  }

  @Test func `of a limit over all gateways it lets through its part, and says so`() throws {
    var policy = Sample.policy()
    policy.sharesLimits = true
    policy.teams[0].requestsPerMinute = 20
    var state = GateState.holding(policy, until: 1000)
    #expect(!state.hasShares, "it was told nothing yet")
    let early = admit(&state).denial
    #expect(early?.message.contains("over all gateways together is for now with other") == true)
    let soon = Leases.renewalSeconds + 2
    #expect(early?.retryAfterSeconds == soon)
    for (now, wait) in [(Double(soon), soon), (2 * Double(soon), 2 * soon), (50, 50), (100, 61)] {
      var waiting = state
      var last: Denial?
      // Somebody asks all the time.
      for second in stride(from: 1, through: now, by: 1) { last = admit(&waiting, second).denial }
      #expect(last?.retryAfterSeconds == wait, "after \(now) s, since all of it may come so late")
    }
    #expect(state.wantsShares)
    let report = state.shareReport(now: .zero)
    #expect(report?.base == 0 && report?.items.map(\.wanted) == [1])
    state.take(ShareAnswer(round: 9, epoch: 50, base: Share.whole), era: 1)
    #expect(admit(&state).denial != nil, "it is the answer to no call of its own")
    state.take(ShareAnswer(round: 1, epoch: 50, base: Share.whole / 2), era: 1)
    #expect(state.hasShares)
    for _ in 0..<10 { #expect(admit(&state, 1).denial == nil) }
    #expect(
      admit(&state, 1).denial?.message.contains("as far as this gateway's part of 10") == true)
    // Whoever leads next is heard, and none before it any more.
    _ = state.shareReport(now: .seconds(2))
    state.take(ShareAnswer(round: 2, epoch: 60, base: nil), era: 1)
    _ = state.shareReport(now: .seconds(2))
    state.take(ShareAnswer(round: 3, epoch: 50, base: Share.whole), era: 1)
    #expect(admit(&state, 2).denial?.status == 429)
    state.take(ShareAnswer(round: 3, epoch: 60, base: Share.whole), era: 1)
    for _ in 0..<10 { #expect(admit(&state, 2).denial == nil) }
    #expect(
      admit(&state, 2).denial?.message.contains("over all gateways together is used up:") == true)
    // A wharfd of before shares nothing: the whole limit is this gateway's own.
    _ = state.apply(PolicyIndex(policy.next { $0.sharesLimits = false }), now: at(2))
    #expect(state.shareReport(now: .seconds(2)) == nil)
    #expect(admit(&state, 2).denial?.message.contains("at this gateway") == true)
  }

  @Test func `tokens are charged afterwards and a debt is waited out`() throws {
    var policy = Sample.policy()
    policy.grants[0].tokensPerMinute = 60
    var state = GateState.holding(policy, until: 1000)
    state.finish(try admit(&state).get().id, tokens: 90)
    let refused = admit(&state).denial
    let denial = try #require(refused)
    #expect(denial.status == 429)
    #expect(denial.type == "tokens")
    #expect(denial.retryAfterSeconds == 61)
    #expect(admit(&state, 60.9).denial?.status == 429)
    // The debt of 30 has taken half of the second minute.
    state.finish(try admit(&state, 61).get().id, tokens: 30)
    #expect(admit(&state, 62).denial?.status == 429)
    state.finish(try admit(&state, 122).get().id, tokens: 600)
    #expect(admit(&state, 122).denial?.retryAfterSeconds == 61 * 10)
  }

  @Test func `the limit that binds longest is named, and all headers say the same of it`() throws {
    var policy = Sample.policy()
    policy.teams[0].requestsPerMinute = 600
    policy.teams[0].tokensPerMinute = 60
    policy.grants[0].requestsPerMinute = 1
    var state = GateState.holding(policy, until: 1000)
    // The grant's request comes back after a minute, the team's tokens after two.
    state.finish(try admit(&state).get().id, tokens: 150)
    for (now, wait) in [(0.0, 122), (10, 112), (70, 52)] {
      guard case .failure(let rejection) = admit(&state, now) else {
        Issue.record("it was let through after \(now) s")
        return
      }
      #expect(rejection.denial.type == "tokens", "after \(now) s")
      #expect(rejection.denial.message.contains("60 tokens a minute"), "\(rejection.denial)")
      #expect(rejection.denial.retryAfterSeconds == wait, "after \(now) s")
      let quota = try #require(rejection.quota)
      #expect(quota.tokens == .init(limit: 60, remaining: 0, resetSeconds: Double(wait)))
      if now < 61 {
        #expect(quota.requests == .init(limit: 1, remaining: 0, resetSeconds: 61 - now))
      } else {
        #expect(quota.requests == .init(limit: 1, remaining: 1, resetSeconds: 0))
      }
    }
  }

  @Test func `of two limits that are used up alike the smaller is named`() throws {
    var policy = Sample.policy()
    policy.grants[0].requestsPerMinute = 2
    policy.teams[0].tokensPerMinute = 1
    var state = GateState.holding(policy, until: 1000)
    // What is under way holds tokens, too.
    for tokens in [0, 1] { state.finish(try admit(&state).get().id, tokens: tokens) }
    let denial = try #require(admit(&state).denial)
    #expect(denial.type == "tokens" && denial.message.contains("limit of 1 tokens"), "\(denial)")
  }

  @Test func `a refused request takes nothing from a quota`() throws {
    var policy = Sample.policy()
    policy.grants[0].requestsPerMinute = 1
    policy.served = []
    var state = GateState.holding(policy)
    #expect(admit(&state).denial?.code == "no_ready_replica")
    _ = state.apply(PolicyIndex(policy.next { $0.served = [Sample.route()] }), now: at(0))
    #expect(admit(&state).denial == nil)
  }

  @Test func `quotas of what left the policy are forgotten`() {
    var book = QuotaBook()
    for number in 0..<1000 {
      var policy = Sample.policy()
      let model = Stream(.model, Position(Int64(number + 10)))
      policy.grants[0] = Sample.grant(model, requestsPerMinute: 1)
      policy.models[0].id = model
      policy.routes[0].model = model
      let index = PolicyIndex(policy)
      let decision = index.decide(
        keyDigest: key, model: "xai/grok-3", now: Sample.now, lease: true)
      _ = book.admit(decision.permission!, Sample.wish, now: .zero)
      book.follow(index, isFirst: false)
    }
    #expect(book.count == 1)
  }

  @Test func `no quota and no count of tokens is too large to be reckoned with`() throws {
    var policy = Sample.policy()
    policy.teams[0].requestsPerMinute = .max
    policy.grants[0].tokensPerMinute = 1
    var state = GateState.holding(policy, until: 1000)
    let admission = try admit(&state).get()
    #expect(admission.quota.requests?.remaining == .max - 1)
    state.finish(admission.id, tokens: .max)
    guard case .failure(let rejection) = admit(&state) else {
      Issue.record("a debt was forgotten")
      return
    }
    #expect(rejection.denial.retryAfterSeconds == 3_599)
    var fields = HTTPFields()
    Headers.write(try #require(rejection.quota), to: &fields)
    #expect(fields[HTTPField.Name("x-ratelimit-reset-tokens")!]?.hasSuffix("s") == true)
  }

  @Test func `once its drain is over it cuts what runs and takes nothing new`() throws {
    var state = GateState.holding(Sample.policy())
    let id = try admit(&state).get().id
    #expect(state.endDrain() == [.init(id: id, denial: .gatewayStopping)])
    #expect(admit(&state).denial == .gatewayStopping)
    #expect(throws: Denial.gatewayStopping) { try state.team(of: key, now: at(0)) }
  }

  @Test func `a replica that left the policy is known to have`() throws {
    var state = GateState.holding(Sample.policy())
    let id = try admit(&state).get().id
    #expect(state.isRouted(id))
    _ = state.apply(PolicyIndex(Sample.policy().next { $0.served = [] }), now: at(1))
    #expect(!state.isRouted(id))
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
    policy.served = [Sample.route(1), Sample.route(2)]
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
    let moved = state.move(first.id, after: .notReached, now: at(0))
    let other = try #require(moved)
    #expect(other.attempt != first.route.attempt)
    let third = state.move(first.id, after: .notReached, now: at(0))
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
    #expect(state.move(id, after: .notReached, now: at(0)) == nil)
  }

  // MARK: Replicas that answer nothing

  /// Asks until the attempt was asked once; answers what others get.
  func ask(_ attempt: AttemptID, _ state: inout GateState, _ seconds: Double) throws
    -> GateState.RequestID?
  {
    for _ in 0..<4 {
      let admission = try admit(&state, seconds).get()
      if admission.route.attempt == attempt { return admission.id }
      state.answered(admission.id)
      state.finish(admission.id, tokens: 0)
    }
    return nil
  }

  func fail(_ attempt: AttemptID, _ state: inout GateState, _ seconds: Double) throws {
    let asked = try ask(attempt, &state, seconds)
    let id = try #require(asked, "it is asked at \(seconds) s")
    state.note(id, .slow, now: at(seconds))
    state.finish(id, tokens: 0)
  }

  @Test func `a replica that answers nothing is left out for longer and longer, and tried again`()
    throws
  {
    var state = twoRoutes()
    let mute = Sample.attempt(1)
    for second in [0.0, 6, 12] { try fail(mute, &state, second) }
    // Out for ten seconds, then one request is the probe.
    #expect(try ask(mute, &state, 21.9) == nil)
    try fail(mute, &state, 22)
    // It came to nothing: out for twenty.
    #expect(try ask(mute, &state, 41.9) == nil)
    let second = try ask(mute, &state, 42)
    let probe = try #require(second)
    #expect(try ask(mute, &state, 42) == nil, "one probe at a time")
    state.answered(probe)
    state.finish(probe, tokens: 0)
    let third = try ask(mute, &state, 42)
    #expect(third != nil, "an answer brings it back")
  }

  @Test func `an answer between two failures starts the count anew`() throws {
    var state = twoRoutes()
    let attempt = Sample.attempt(1)
    for second in [0.0, 6] { try fail(attempt, &state, second) }
    let asked = try ask(attempt, &state, 12)
    let id = try #require(asked)
    state.answered(id)
    state.finish(id, tokens: 0)
    for second in [12.0, 18] { try fail(attempt, &state, second) }
    #expect(try ask(attempt, &state, 24) != nil)
  }

  @Test func `when every replica is out the least bad one is asked`() throws {
    var policy = Sample.policy()
    policy.served = [Sample.route(1), Sample.route(2)]
    var state = GateState.holding(policy, until: 1000)
    for second in [0.0, 6, 12] {
      for number in 1...2 { try fail(Sample.attempt(number), &state, second) }
    }
    let worse = try admit(&state, 13).get()
    state.note(worse.id, .slow, now: at(13))
    state.finish(worse.id, tokens: 0)
    for _ in 0..<3 {
      let next = try admit(&state, 14).get()
      #expect(next.route.attempt != worse.route.attempt)
      state.finish(next.id, tokens: 0)
    }
  }

  @Test func `that a replica was silent is told, and for a while after it that it answers`() throws
  {
    var state = GateState.holding(Sample.policy(), until: 1000)
    let id = try admit(&state, 30).get().id
    state.note(id, .slow, now: at(35))
    state.finish(id, tokens: 0)
    #expect(
      state.takeSeen(now: .seconds(35))
        == [Sample.attempt(1): .init(asked: 1, answered: 0, gaveUp: 1)])
    #expect(state.takeSeen(now: .seconds(35)) == [:], "it is told once")
    let good = try admit(&state, 36).get().id
    state.answered(good)
    state.finish(good, tokens: 0)
    #expect(
      state.takeSeen(now: .seconds(40))
        == [Sample.attempt(1): .init(asked: 1, answered: 1, gaveUp: 0)],
      "that it answers again is told, too")
    let better = try admit(&state, 97).get().id
    state.answered(better)
    state.finish(better, tokens: 0)
    #expect(state.takeSeen(now: .seconds(97)) == [:])
  }

  @Test func `a replica without room rests and is not blamed`() throws {
    var state = twoRoutes()
    for second in [0.0, 6, 12, 18] {
      let asked = try ask(Sample.attempt(1), &state, second)
      let id = try #require(asked)
      state.note(id, .full(seconds: 2), now: at(second))
      state.finish(id, tokens: 0)
      #expect(try ask(Sample.attempt(1), &state, second + 1.9) == nil)
    }
    #expect(state.takeSeen(now: .seconds(30)) == [:])
  }
}

extension Result<GateState.Admission, Rejection> {
  var denial: Denial? { if case .failure(let rejection) = self { rejection.denial } else { nil } }
}

/// Numbers that look random and are the same each time.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
