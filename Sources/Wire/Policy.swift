// What wharfd tells a gateway: everything it needs to answer or refuse on its own, at a position.
// `GET /v1/gateway/policy?after=P&wait=SECONDS` answers 200 with one newer than P, or 204. Replies
// to all calls renew the gateway's lease; a gateway serves for its lease and, while no leader answers, for
// its grace. Each request of a process names it: `incarnation=…&address=…`.

import Hosting

package struct Policy: JSONRecord, Equatable, Sendable {
  /// The position of the last event that changed the policy: its version.
  package var position: Position
  package var head: HeadWitness
  /// How long the gateway may serve by what it knows, from when the answered request was sent.
  package var leaseSeconds: Int
  /// How much longer, while no leader answers; none: not at all.
  package var graceSeconds: Int?
  /// Of limits the gateway may use only what is handed out with its lease; otherwise each gateway holds
  /// to the whole of them by itself.
  package var sharesLimits: Bool?
  package var keys: [PolicyKey]
  package var teams: [PolicyTeam]
  package var models: [PolicyModel]

  package init(
    position: Position, head: HeadWitness, leaseSeconds: Int, graceSeconds: Int? = nil,
    sharesLimits: Bool? = nil, keys: [PolicyKey], teams: [PolicyTeam], models: [PolicyModel]
  ) {
    self.graceSeconds = graceSeconds
    self.sharesLimits = sharesLimits
    self.position = position
    self.head = head
    self.leaseSeconds = leaseSeconds
    self.keys = keys
    self.teams = teams
    self.models = models
  }

  /// Whether all that requests are decided by is the same.
  package func hasContent(of other: Policy) -> Bool {
    keys == other.keys && teams == other.teams && models == other.models
      && graceSeconds == other.graceSeconds && sharesLimits == other.sharesLimits
  }
}

package struct PolicyKey: Codable, Equatable, Sendable {
  /// SHA-256 of the API key.
  package var digest: Digest
  package var id: Stream
  package var team: Stream
  package var notAfter: Timestamp?

  package init(digest: Digest, id: Stream, team: Stream, notAfter: Timestamp?) {
    self.digest = digest
    self.id = id
    self.team = team
    self.notAfter = notAfter
  }
}

package struct PolicyTeam: Codable, Equatable, Sendable {
  package var id: Stream
  package var name: Name
  /// Over all models together; none means no limit.
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?
  package var grants: [PolicyGrant]
  /// Models the team may know of and not use, with the reason that a request is answered with:
  /// never granted, revoked, run out, provider suspended.
  package var refusals: [PolicyRefusal]

  package init(
    id: Stream, name: Name, requestsPerMinute: Int?, tokensPerMinute: Int?,
    grants: [PolicyGrant], refusals: [PolicyRefusal]
  ) {
    self.id = id
    self.name = name
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.grants = grants
    self.refusals = refusals
  }
}

package struct PolicyGrant: Codable, Equatable, Sendable {
  package var model: Stream
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?
  /// The earlier of its own end and that of the agreement.
  package var notAfter: Timestamp?
  /// Before it, the agreement is not in force.
  package var notBefore: Timestamp?
  /// When the agreement ends: then that is the reason, and not that the grant ran out.
  package var agreementEnd: Timestamp?

  package init(
    model: Stream, requestsPerMinute: Int?, tokensPerMinute: Int?, notAfter: Timestamp?,
    notBefore: Timestamp? = nil, agreementEnd: Timestamp? = nil
  ) {
    self.notBefore = notBefore
    self.agreementEnd = agreementEnd
    self.model = model
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.notAfter = notAfter
  }
}

package struct PolicyRefusal: Codable, Equatable, Sendable {
  package var model: Stream
  /// Stable: `notGranted`, `grantRevoked`, `grantExpired`, `providerSuspended`.
  package var code: String
  package var message: String

  package init(model: Stream, code: String, message: String) {
    self.model = model
    self.code = code
    self.message = message
  }
}

/// A model, and where its ready replicas answer. A model that stands neither in a team's grants nor
/// in its refusals does not exist for that team.
package struct PolicyModel: Codable, Equatable, Sendable {
  package var id: Stream
  /// `xai/grok-3`.
  package var name: String
  package var provider: String
  /// `chat`, `completion`, `embedding`.
  package var task: String
  package var contextLength: Int?
  package var onboardedAt: Timestamp
  /// The labels of its versions, ready or not.
  package var versions: [String]
  /// Aliases of versions (`latest`, `stable`), by name.
  package var aliases: [String: String]
  package var routes: [PolicyRoute]

  package init(
    id: Stream, name: String, provider: String, task: String, contextLength: Int?,
    onboardedAt: Timestamp, versions: [String], aliases: [String: String], routes: [PolicyRoute]
  ) {
    self.id = id
    self.name = name
    self.provider = provider
    self.task = task
    self.contextLength = contextLength
    self.onboardedAt = onboardedAt
    self.versions = versions
    self.aliases = aliases
    self.routes = routes
  }
}

/// One ready replica.
package struct PolicyRoute: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var attempt: AttemptID
  /// The version label that it serves: `1`.
  package var version: String
  /// `http://127.0.0.1:9001`.
  package var endpoint: String
  package var engineKey: EngineKey
  /// The model name that the engine goes by.
  package var servedModelName: String
  /// How long to wait for this engine; by the gateway's own measure when absent.
  package var waits: Launch.Waits?

  package init(
    attempt: AttemptID, version: String, endpoint: String, engineKey: EngineKey,
    servedModelName: String, waits: Launch.Waits? = nil
  ) {
    self.attempt = attempt
    self.version = version
    self.endpoint = endpoint
    self.engineKey = engineKey
    self.servedModelName = servedModelName
    self.waits = waits
  }
}

/// `POST /v1/gateway/enforced`: from this position on, nothing is answered that the policy refuses.
package struct PolicyEnforced: JSONRecord, Equatable, Sendable {
  package var position: Position
  /// The gateway's own address, for people.
  package var address: String
  /// Attempts without a route that still answer requests of before; none said, where it counts none.
  package var serving: [AttemptID]?

  /// No more are named: engines of the others are told to stop once they were waited for long enough.
  package static let servingLimit = 1_000

  package init(position: Position, address: String, serving: [AttemptID]? = nil) {
    self.position = position
    self.address = address
    self.serving = serving
  }
}

/// `POST /v1/gateway/lease`: a process asks for its lease anew, apart from the long poll. What is to be
/// handed out with leases is asked for here. `POST /v1/gateway/left`, with the same body: it has answered
/// its last request.
package struct LeaseCall: JSONRecord, Equatable, Sendable {
  /// The position that it enforces; none, where it has no policy.
  package var enforced: Position?
  /// What it holds of limits, and would use; none, where it holds to the whole of them.
  package var shares: ShareReport?
  /// As in `PolicyEnforced`.
  package var serving: [AttemptID]?

  package init(
    enforced: Position?, shares: ShareReport? = nil, serving: [AttemptID]? = nil
  ) {
    self.enforced = enforced
    self.shares = shares
    self.serving = serving
  }
}

/// The code of a refusal of a lease to a process whose lease and grace are over: it is to ask for the
/// whole policy.
package enum LeaseRefusal {
  package static let policyNeeded = "policyNeeded"
  /// Its gateway was removed, and the credential was that gateway's: it is to serve nothing any more.
  package static let gatewayRemoved = "gatewayRemoved"
}

package struct PolicyLease: JSONRecord, Equatable, Sendable {
  package var head: HeadWitness
  package var leaseSeconds: Int
  /// The log's time when it was given: what ended by then is over, whatever a clock says.
  package var time: Timestamp?
  /// Where shares were asked for.
  package var shares: ShareAnswer?

  package init(
    head: HeadWitness, leaseSeconds: Int, time: Timestamp? = nil, shares: ShareAnswer? = nil
  ) {
    self.time = time
    self.head = head
    self.leaseSeconds = leaseSeconds
    self.shares = shares
  }
}
