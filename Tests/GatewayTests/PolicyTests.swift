// Deciding on requests by a policy: values in, values out.

import Hosting
import Testing
import Wire

@testable import Gateway

@Suite struct PolicyTests {
  let key = Sample.digest(Sample.key)

  func decide(
    _ model: String = "xai/grok-3", _ policy: PolicyNews = Sample.policy(),
    key: Hosting.Digest? = Sample.digest(Sample.key), now: Timestamp = Sample.now,
    lease: Bool = true
  ) -> PolicyDecision {
    PolicyIndex(policy).decide(keyDigest: key, model: model, now: now, lease: lease)
  }

  @Test(arguments: [
    "xai/grok-3", "xai/grok-3:1", "xai/grok-3:stable", "XAI/Grok-3", "xai/grok-3:STABLE",
  ])
  func `a granted model is served by each of its names`(_ name: String) throws {
    let permission = try #require(decide(name).permission)
    #expect(permission.routes.map(\.servedModelName) == ["engine-grok"])
    #expect(permission.model.id == Sample.model)
  }

  @Test func `a version is served only by replicas of it, an alias by those of its version`() throws
  {
    var policy = Sample.policy()
    policy.served = [
      Sample.route(1, version: "1"), Sample.route(2, version: "2"), Sample.route(3, version: "2"),
    ]
    policy.models[0].aliases = ["next": "2"]
    func attempts(_ name: String) -> [AttemptID]? {
      decide(name, policy).permission?.routes.map(\.attempt)
    }
    #expect(attempts("xai/grok-3:1") == [Sample.attempt(1)])
    #expect(attempts("xai/grok-3:next") == [Sample.attempt(2), Sample.attempt(3)])
    #expect(attempts("xai/grok-3")?.count == 3)
  }

  struct Refused: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let status: Int
    let code: String
    var key: String? = Sample.key
    var model = "xai/grok-3"
    var lease = true
    var now = Sample.now
    var change: @Sendable (inout PolicyNews) -> Void = { _ in }
  }

  static let refused: [Refused] = [
    Refused(testDescription: "no key", status: 401, code: "missing_api_key", key: nil),
    Refused(testDescription: "an unknown key", status: 401, code: "invalid_api_key", key: "other"),
    Refused(
      testDescription: "a key that ran out this instant", status: 401, code: "api_key_expired"
    ) {
      $0.keys[0].secrets[0].until = Sample.now
    },
    Refused(
      testDescription: "a model that does not exist", status: 404, code: "model_not_found",
      model: "xai/grok-9"),
    Refused(
      testDescription: "a name that is none", status: 404, code: "model_not_found", model: "grok-3"),
    Refused(
      testDescription: "a version that does not exist", status: 404,
      code: "model_version_not_found", model: "xai/grok-3:7"),
    Refused(
      testDescription: "a model that was never granted", status: 403, code: "notGranted",
      model: "xai/grok-mini"),
    Refused(testDescription: "a revoked grant", status: 403, code: "grantRevoked") {
      $0 = $0.revoking()
    },
    Refused(testDescription: "a suspended provider", status: 403, code: "providerSuspended") {
      $0.providers[0].isSuspended = true
    },
    Refused(testDescription: "no agreement", status: 403, code: "noAgreement") {
      $0.providers[0].agreement = nil
    },
    Refused(testDescription: "an agreement for others", status: 403, code: "noAgreement") {
      $0.providers[0].agreement?.audiences = [.external]
    },
    Refused(testDescription: "an agreement for something else", status: 403, code: "noAgreement") {
      $0.providers[0].agreement?.scope = [.training]
    },
    Refused(testDescription: "a grant that ran out this instant", status: 403, code: "grantExpired")
    {
      $0.grants[0].until = Sample.now
    },
    Refused(
      testDescription: "an agreement that ended this instant", status: 403, code: "noAgreement"
    ) {
      $0.grants[0].until = Sample.now
      $0.agreementEnd = Sample.now
    },
    Refused(
      testDescription: "a grant that ran out before its agreement", status: 403,
      code: "grantExpired"
    ) {
      $0.grants[0].until = Sample.now
      $0.agreementEnd = Sample.now.adding(seconds: 1)
    },
    Refused(
      testDescription: "an agreement that begins a moment later", status: 403, code: "noAgreement"
    ) {
      $0.agreementFrom = Sample.now.adding(seconds: 1)
    },
    Refused(testDescription: "no ready replica", status: 503, code: "no_ready_replica") {
      $0.served = []
    },
    Refused(
      testDescription: "no ready replica of the version", status: 503, code: "no_ready_replica",
      model: "xai/grok-3:2"),
    Refused(
      testDescription: "no lease", status: 503, code: "no_policy_lease", lease: false),
    Refused(
      testDescription: "no lease and no key", status: 503, code: "no_policy_lease", key: nil,
      lease: false),
  ]

  @Test(arguments: refused) func `what is refused says why`(_ refused: Refused) throws {
    var policy = Sample.policy()
    refused.change(&policy)
    let denial = try #require(
      decide(
        refused.model, policy, key: refused.key.map(Sample.digest), now: refused.now,
        lease: refused.lease
      ).denial)
    #expect(denial.status == refused.status)
    #expect(denial.code == refused.code)
    #expect((denial.retryAfterSeconds != nil) == (denial.status == 503))
  }

  @Test func `an alias of a version without a replica names the version`() {
    var policy = Sample.policy()
    policy.models[0].aliases["stable"] = "2"
    #expect(
      decide("xai/grok-3:stable", policy).denial?.message
        == "No replica of the model 'xai/grok-3:2' is ready.")
  }

  @Test func `a date bites from its instant on and not before`() {
    var policy = Sample.policy()
    policy.grants[0].until = Sample.now.adding(seconds: 1)
    policy.keys[0].secrets[0].until = Sample.now.adding(seconds: 2)
    #expect(decide("xai/grok-3", policy).permission != nil)
    #expect(
      decide("xai/grok-3", policy, now: Sample.now.adding(seconds: 1)).denial?.code
        == "grantExpired")
    #expect(
      decide("xai/grok-3", policy, now: Sample.now.adding(seconds: 2)).denial?.code
        == "api_key_expired")
  }

  @Test func `before its agreement begins a model is neither served nor listed, and then it is`() {
    var policy = Sample.policy()
    policy.agreementFrom = Sample.now.adding(seconds: 1)
    let index = PolicyIndex(policy)
    func holds(_ seconds: Int64) -> (isServed: Bool, listed: [String]) {
      let now = Sample.now.adding(seconds: seconds)
      let listed = index.usable(by: index.team(Sample.team)!, now: now).map(\.name)
      return (decide("xai/grok-3", policy, now: now).permission != nil, listed)
    }
    #expect(holds(0) == (false, []))
    #expect(holds(1) == (true, ["xai/grok-3"]))
    let early = decide("xai/grok-3", policy).denial
    #expect(early?.message.contains("the agreement with xai begins then") == true)
    // What is under way ends for the same reason as what is asked anew is refused.
    policy.agreementFrom = nil
    policy.grants[0].until = Sample.now
    policy.agreementEnd = Sample.now
    let cut = PolicyIndex(policy).ended(
      keyDigest: key, model: Sample.model, named: "xai/grok-3", now: Sample.now)
    #expect(cut == decide("xai/grok-3", policy).denial)
    #expect(cut?.message.contains("the agreement with xai ended") == true)
  }

  @Test func `a model without a version is not listed, and one whose replicas are not ready is`() {
    func listed(_ change: (inout ServedModel) -> Void) -> [String] {
      var policy = Sample.policy()
      policy.routes = []
      change(&policy.models[0])
      let index = PolicyIndex(policy)
      return index.usable(by: index.team(Sample.team)!, now: Sample.now).map(\.name)
    }
    #expect(listed { _ in } == ["xai/grok-3"])
    #expect(listed { $0.versions = [] } == [])
  }

  @Test func `a model that the team may not know of answers as one that does not exist`() {
    // The embargoed model is in the policy for another team; its neighbour is not in it at all.
    let with = Sample.policy().withSecret()
    let without = Sample.policy()
    for label in ["", ":1", ":stable", ":nonsense"] {
      let asked = "xai/secret\(label)"
      #expect(decide(asked, with).denial == decide(asked, without).denial)
      let other = "xai/absent\(label)"
      #expect(
        decide(asked, with).denial?.message.replacing(asked, with: "*")
          == decide(other, with).denial?.message.replacing(other, with: "*"))
      #expect(decide(asked, with).denial?.code == decide(other, with).denial?.code)
    }
    let team = PolicyIndex(with).team(Sample.team)!
    #expect(PolicyIndex(with).usable(by: team, now: Sample.now).map(\.name) == ["xai/grok-3"])
  }
}

extension PolicyDecision {
  var permission: Permission? { if case .serve(let permission) = self { permission } else { nil } }
  var denial: Denial? { if case .refuse(let denial) = self { denial } else { nil } }
}
