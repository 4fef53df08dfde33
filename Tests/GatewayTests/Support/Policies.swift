// Policies for tests: a team `copilot` with the key `key-copilot` and a grant of `xai/grok-3`.

import Crypto
import Hosting
import Wire

@testable import Gateway

enum Sample {
  static let key = "key-copilot"
  static let team = Stream(.team, 4)
  static let model = Stream(.model, 3)
  static let refusedModel = Stream(.model, 8)
  static let engineKey = EngineKey(secret: "engine-key-1")
  static let now = Timestamp("2025-06-01")!

  /// Of a request that may take one token.
  static let wish = TokenWish(promptTokens: 0, answerTokens: 1)

  static func digest(_ secret: String) -> Hosting.Digest {
    Hosting.Digest(bytes: Array(SHA256.hash(data: Array(secret.utf8))))
  }

  static func attempt(_ number: Int) -> AttemptID {
    AttemptID(replica: ReplicaID(deployment: 31, number: number), placedAt: 40)
  }

  static func route(
    _ number: Int = 1, port: Int = 1, version: String = "1", key: EngineKey = engineKey
  ) -> PolicyRoute {
    PolicyRoute(
      attempt: attempt(number), version: version, endpoint: "http://127.0.0.1:\(port)",
      engineKey: key, servedModelName: "engine-grok")
  }

  static func model(
    _ id: Stream = model, _ name: String = "xai/grok-3", routes: [PolicyRoute] = [route()]
  ) -> PolicyModel {
    PolicyModel(
      id: id, name: name, provider: String(name.prefix { $0 != "/" }), task: "chat",
      contextLength: nil, onboardedAt: Timestamp("2025-05-01")!, versions: ["1", "2"],
      aliases: ["stable": "1"], routes: routes)
  }

  static func grant(
    _ model: Stream = model, requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil,
    notAfter: Timestamp? = nil
  ) -> PolicyGrant {
    PolicyGrant(
      model: model, requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute,
      notAfter: notAfter)
  }

  static func head(_ position: Position, era: Position = 1, hash: UInt8 = 7) -> HeadWitness {
    HeadWitness(
      era: era, position: position, hash: Hosting.Digest(bytes: .init(repeating: hash, count: 32)))
  }

  /// At position 40, with one route to an engine at `port`.
  static func policy(port: Int = 1) -> Policy {
    Policy(
      position: 40, head: head(100), leaseSeconds: 30,
      keys: [PolicyKey(digest: digest(key), id: Stream(.key, 5), team: team, notAfter: nil)],
      teams: [
        PolicyTeam(
          id: team, name: try! Name("copilot"), requestsPerMinute: nil, tokensPerMinute: nil,
          grants: [grant()],
          refusals: [
            PolicyRefusal(
              model: refusedModel, code: "notGranted",
              message: "The team 'copilot' was never granted 'xai/grok-mini'.")
          ])
      ],
      models: [model(routes: [route(port: port)]), model(refusedModel, "xai/grok-mini")])
  }

  static let revoked = PolicyRefusal(
    model: model, code: "grantRevoked", message: "The grant of 'xai/grok-3' was revoked.")
}

extension Policy {
  /// The next policy: the same one, changed, at a later position.
  func next(_ change: (inout Policy) -> Void = { _ in }) -> Policy {
    var policy = self
    policy.position = position.next
    policy.head.position = head.position.next
    change(&policy)
    return policy
  }

  func revoking() -> Policy {
    next { policy in
      policy.teams[0].grants = []
      policy.teams[0].refusals.append(Sample.revoked)
    }
  }
}

extension GateState {
  /// So early that the clock stands where it stood.
  mutating func finish(_ id: RequestID, tokens: Int) { finish(id, tokens: tokens, now: .zero) }

  static func holding(
    _ policy: Policy, limits: GatewayLimits = GatewayLimits(), until seconds: Int = 30
  ) -> GateState {
    var state = GateState(limits: limits)
    _ = state.apply(PolicyIndex(policy), now: Moment(date: Sample.now, uptime: .zero))
    _ = state.renewLease(sentAt: .zero, seconds: seconds, withPolicy: true, now: .zero)
    return state
  }
}
