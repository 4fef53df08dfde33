// What a gateway decides by, as facts, and as what became of them since a position. It is a fold of the log:
// at one position of one era it is one and the same, whoever tells it.
//
// `GET /v1/gateway/policy?form=2&after=P&era=E&enforcing=Q&wait=SECONDS` answers
//   200 with what changed after P, where that is still known, and 204 when nothing did for so long;
//   200 with all there is (`since` is none), in one piece, or in pages: `next` says how the following one
//   is asked for, `&page=NEXT`. Pages may be of different heads. All of them, and then what changed after the
//   `position` of the first, make the policy of the head of that last answer: it alone gives a lease.
// A gateway without `form` gets a `Policy`, with a refusal for each team and model.

import Hosting

package struct PolicyNews: JSONRecord, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package static let form = 2

  package var form: Int
  /// Up to here all is told of what came before and `since`.
  package var position: Position
  package var head: HeadWitness
  /// The time of the last event of that head: dates before it are over, whatever a clock says.
  package var recordedAt: Timestamp
  /// How long the gateway may serve by what it knows, from when the answered request was sent.
  package var leaseSeconds: Int
  /// How much longer, while no leader answers.
  package var graceSeconds: Int
  /// Of limits the gateway may use only what is handed out with its lease; otherwise each gateway holds
  /// to the whole of them by itself.
  package var sharesLimits: Bool
  /// The position that this adds to; none: to nothing.
  package var since: Position?
  /// What the next page is asked for with; none behind the last.
  package var next: String?
  package var providers: [PolicyProvider]
  package var models: [ServedModel]
  package var teams: [ServedTeam]
  package var grants: [PolicyAccess]
  package var keys: [TeamKey]
  package var routes: [ModelRoute]
  package var gone: PolicyGone

  package init(
    position: Position, head: HeadWitness, recordedAt: Timestamp, leaseSeconds: Int,
    graceSeconds: Int, sharesLimits: Bool, since: Position? = nil, next: String? = nil,
    providers: [PolicyProvider] = [], models: [ServedModel] = [], teams: [ServedTeam] = [],
    grants: [PolicyAccess] = [], keys: [TeamKey] = [], routes: [ModelRoute] = [],
    gone: PolicyGone = PolicyGone()
  ) {
    self.init(
      form: Self.form, position: position, head: head, recordedAt: recordedAt,
      leaseSeconds: leaseSeconds, graceSeconds: graceSeconds, sharesLimits: sharesLimits,
      since: since, next: next, providers: providers, models: models, teams: teams,
      grants: grants, keys: keys, routes: routes, gone: gone)
  }

  package init(
    form: Int, position: Position, head: HeadWitness, recordedAt: Timestamp, leaseSeconds: Int,
    graceSeconds: Int, sharesLimits: Bool, since: Position?, next: String?,
    providers: [PolicyProvider], models: [ServedModel], teams: [ServedTeam],
    grants: [PolicyAccess], keys: [TeamKey], routes: [ModelRoute], gone: PolicyGone
  ) {
    self.form = form
    self.position = position
    self.head = head
    self.recordedAt = recordedAt
    self.leaseSeconds = leaseSeconds
    self.graceSeconds = graceSeconds
    self.sharesLimits = sharesLimits
    self.since = since
    self.next = next
    self.providers = providers
    self.models = models
    self.teams = teams
    self.grants = grants
    self.keys = keys
    self.routes = routes
    self.gone = gone
  }

  /// How many facts it holds.
  package var count: Int {
    providers.count + models.count + teams.count + grants.count + keys.count + routes.count
      + gone.models.count + gone.keys.count + gone.grants.count + gone.routes.count
  }
}

package struct PolicyProvider: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var id: Stream
  package var label: String
  package var isSuspended: Bool
  /// The last one that was signed.
  package var agreement: AgreedTerms?

  package init(id: Stream, label: String, isSuspended: Bool, agreement: AgreedTerms?) {
    self.id = id
    self.label = label
    self.isSuspended = isSuspended
    self.agreement = agreement
  }
}

/// A model that is not retired, whoever may know of it.
package struct ServedModel: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var id: Stream
  /// `xai/grok-3`.
  package var name: String
  package var provider: Stream
  /// `chat`, `completion`, `embedding`.
  package var task: String
  package var contextLength: Int?
  package var onboardedAt: Timestamp
  package var published: [Audience]
  /// The labels of its versions, ready or not.
  package var versions: [String]
  /// Aliases of versions (`latest`, `stable`), by name.
  package var aliases: [String: String]

  package init(
    id: Stream, name: String, provider: Stream, task: String, contextLength: Int?,
    onboardedAt: Timestamp, published: [Audience], versions: [String], aliases: [String: String]
  ) {
    self.id = id
    self.name = name
    self.provider = provider
    self.task = task
    self.contextLength = contextLength
    self.onboardedAt = onboardedAt
    self.published = published
    self.versions = versions
    self.aliases = aliases
  }
}

package struct ServedTeam: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var id: Stream
  package var name: Name
  package var audience: Audience
  /// Over all models together; none means no limit.
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?

  package init(
    id: Stream, name: Name, audience: Audience, requestsPerMinute: Int?, tokensPerMinute: Int?
  ) {
    self.id = id
    self.name = name
    self.audience = audience
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
  }
}

/// What a team was given of a model, or how that ended.
package struct PolicyAccess: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var team: Stream
  package var model: Stream
  /// None, once it ended.
  package var workload: Workload?
  package var requestsPerMinute: Int?
  package var tokensPerMinute: Int?
  package var until: Timestamp?
  package var ended: EndedGrant.Cause?
  package var endedAt: Timestamp?

  package init(
    team: Stream, model: Stream, workload: Workload?, requestsPerMinute: Int? = nil,
    tokensPerMinute: Int? = nil, until: Timestamp? = nil, ended: EndedGrant.Cause? = nil,
    endedAt: Timestamp? = nil
  ) {
    self.team = team
    self.model = model
    self.workload = workload
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.until = until
    self.ended = ended
    self.endedAt = endedAt
  }
}

/// A key of a team, with each secret that opens it.
package struct TeamKey: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package struct Secret: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
    /// SHA-256 of the API key.
    package var digest: Digest
    package var until: Timestamp?

    package init(digest: Digest, until: Timestamp?) {
      self.digest = digest
      self.until = until
    }
  }

  package var id: Stream
  package var team: Stream
  package var secrets: [Secret]

  package init(id: Stream, team: Stream, secrets: [Secret]) {
    self.id = id
    self.team = team
    self.secrets = secrets
  }
}

/// A ready replica, and of which model.
package struct ModelRoute: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var model: Stream
  package var route: PolicyRoute

  package init(model: Stream, route: PolicyRoute) {
    self.model = model
    self.route = route
  }
}

/// What there is no more. Teams and providers stay.
package struct PolicyGone: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var models: [Stream]
  package var keys: [Stream]
  package var grants: [GoneGrant]
  package var routes: [AttemptID]

  package init(
    models: [Stream] = [], keys: [Stream] = [], grants: [GoneGrant] = [], routes: [AttemptID] = []
  ) {
    self.models = models
    self.keys = keys
    self.grants = grants
    self.routes = routes
  }
}

/// A grant of which nothing is known any more, not even its end.
package struct GoneGrant: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var team: Stream
  package var model: Stream

  package init(team: Stream, model: Stream) {
    self.team = team
    self.model = model
  }
}
