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

  static let provider = Stream(.provider, 2)

  static func model(_ id: Stream = model, _ name: String = "xai/grok-3") -> ServedModel {
    ServedModel(
      id: id, name: name, provider: provider, task: "chat", contextLength: nil,
      onboardedAt: Timestamp("2025-05-01")!, published: [.internal], versions: ["1", "2"],
      aliases: ["stable": "1"])
  }

  static func grant(
    _ model: Stream = model, to team: Stream = team, requestsPerMinute: Int? = nil,
    tokensPerMinute: Int? = nil, until: Timestamp? = nil
  ) -> PolicyAccess {
    PolicyAccess(
      team: team, model: model, workload: .inference, requestsPerMinute: requestsPerMinute,
      tokensPerMinute: tokensPerMinute, until: until)
  }

  static func team(_ id: Stream = team, _ name: String = "copilot") -> ServedTeam {
    ServedTeam(
      id: id, name: try! Name(name), audience: .internal, requestsPerMinute: nil,
      tokensPerMinute: nil)
  }

  static func teamKey(_ secret: String, _ id: Stream, of team: Stream = team) -> TeamKey {
    TeamKey(id: id, team: team, secrets: [.init(digest: digest(secret), until: nil)])
  }

  static func head(_ position: Position, era: Position = 1, hash: UInt8 = 7) -> HeadWitness {
    HeadWitness(
      era: era, position: position, hash: Hosting.Digest(bytes: .init(repeating: hash, count: 32)))
  }

  /// At position 40, with one route to an engine at `port`.
  static func policy(port: Int = 1) -> PolicyNews {
    PolicyNews(
      position: 40, head: head(100), recordedAt: Timestamp("2025-05-20")!, leaseSeconds: 30,
      graceSeconds: 0, sharesLimits: false,
      providers: [
        PolicyProvider(
          id: provider, label: "xai", isSuspended: false,
          agreement: AgreedTerms(
            scope: [.inference], audiences: [.internal], from: nil, end: nil, ended: false))
      ],
      models: [model(), model(refusedModel, "xai/grok-mini")], teams: [team()],
      grants: [grant()], keys: [teamKey(key, Stream(.key, 5))],
      routes: [ModelRoute(model: model, route: route(port: port))])
  }

  static let revoked = PolicyAccess(
    team: team, model: model, workload: nil, ended: .revoked, endedAt: Timestamp("2025-05-30")!)
}

extension PolicyNews {
  /// The routes of the model that is granted.
  var served: [PolicyRoute] {
    get { routes.filter { $0.model == Sample.model }.map(\.route) }
    set {
      routes.removeAll { $0.model == Sample.model }
      routes += newValue.map { ModelRoute(model: Sample.model, route: $0) }
    }
  }
  var agreementEnd: Timestamp? {
    get { providers[0].agreement?.end }
    set { providers[0].agreement?.end = newValue }
  }
  var agreementFrom: Timestamp? {
    get { providers[0].agreement?.from }
    set { providers[0].agreement?.from = newValue }
  }
}

extension PolicyNews {
  /// The next policy: the same one, changed, at a later position.
  func next(_ change: (inout PolicyNews) -> Void = { _ in }) -> PolicyNews {
    var policy = self
    policy.position = position.next
    policy.head.position = head.position.next
    change(&policy)
    return policy
  }

  /// With a model under embargo that another team was given.
  func withSecret() -> PolicyNews {
    next { policy in
      policy.position = position
      policy.head = head
      var secret = Sample.model(Stream(.model, 9), "xai/secret")
      secret.published = []
      policy.models.append(secret)
      policy.teams.append(Sample.team(Stream(.team, 20), "insiders"))
      policy.grants.append(Sample.grant(Stream(.model, 9), to: Stream(.team, 20)))
    }
  }

  func revoking() -> PolicyNews {
    next { $0.grants[0] = Sample.revoked }
  }
}

// MARK: As it is told

extension PolicyNews {
  /// What changed since another one.
  func since(_ old: PolicyNews) -> PolicyNews {
    var news = self
    news.since = old.position
    news.providers.removeAll(where: old.providers.contains)
    news.models.removeAll(where: old.models.contains)
    news.teams.removeAll(where: old.teams.contains)
    news.grants.removeAll(where: old.grants.contains)
    news.keys.removeAll(where: old.keys.contains)
    news.routes.removeAll(where: old.routes.contains)
    news.gone.models = old.models.map(\.id).filter { id in !models.contains { $0.id == id } }
    news.gone.keys = old.keys.map(\.id).filter { id in !keys.contains { $0.id == id } }
    news.gone.routes = old.routes.map(\.route.attempt).filter { attempt in
      !routes.contains { $0.route.attempt == attempt }
    }
    news.gone.grants = old.grants.map { GoneGrant(team: $0.team, model: $0.model) }
      .filter { gone in !grants.contains { $0.team == gone.team && $0.model == gone.model } }
    return news
  }

  /// A page of all there is: one kind of facts.
  func page(_ number: Int) -> PolicyNews {
    var page = self
    if number != 0 { page.providers = [] }
    if number != 1 { page.models = [] }
    if number != 2 { (page.teams, page.grants) = ([], []) }
    if number != 3 { page.keys = [] }
    if number != 4 { page.routes = [] }
    page.next = number < 4 ? "\(number + 1)" : nil
    return page
  }
}

extension GateState {
  /// So early that the clock stands where it stood.
  mutating func finish(_ id: RequestID, tokens: Int) { finish(id, tokens: tokens, now: .zero) }

  static func holding(
    _ policy: PolicyNews, limits: GatewayLimits = GatewayLimits(), until seconds: Int = 30
  ) -> GateState {
    var state = GateState(limits: limits)
    _ = state.apply(PolicyIndex(policy), now: Moment(date: Sample.now, uptime: .zero))
    _ = state.renewLease(sentAt: .zero, seconds: seconds, withPolicy: true, now: .zero)
    return state
  }
}
