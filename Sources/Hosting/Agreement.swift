// An agreement: what a provider allows us to do, for whom, and until when. Whatever is decided about
// a provider's models is decided within it, and a refusal names the clause.

import HashTreeCollections

/// Whom a model may be opened to, and which side of us a team stands on.
package enum Audience: String, CaseIterable, Hashable, Comparable, Sendable, JSONCoded {
  case `internal`
  case external

  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// What a model is run for.
package enum Workload: String, CaseIterable, Hashable, Comparable, Sendable, JSONCoded {
  case inference
  case evaluation
  case fineTuning
  case training

  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

package struct Agreement: Identified, Equatable, Sendable, SnapshotValue {
  package static let kind = Kind.agreement

  package let id: ID<Agreement>
  package let provider: ID<Provider>
  package let signedAt: Timestamp
  package var terms: Terms
  /// The notice was given: nothing new is begun, and all ends at `end`.
  package var terminatedAt: Timestamp?
  /// The end that termination set, if before the agreed one.
  package var terminationDate: Timestamp?
  /// The reconciler noted that the end had come.
  package var ended = false

  /// Signed → (terminated) → ended.
  package func status(now: Timestamp) -> String {
    if ended || end.map({ $0 <= now }) ?? false { return "ended" }
    if terminatedAt != nil { return "terminated" }
    return now < terms.from ? "signed" : "in force"
  }

  package var end: Timestamp? {
    guard let until = terms.until, let terminationDate else {
      return terms.until ?? terminationDate
    }
    return min(until, terminationDate)
  }
}

package struct Terms: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead, SnapshotValue {
  package var scope: [Workload]
  package var audiences: [Audience]
  package var from: Timestamp
  /// None: until it is terminated.
  package var until: Timestamp?
  package var noticeDays: Int

  package static let longestNoticeDays = 3_650

  package init(
    scope: [Workload], audiences: [Audience], from: Timestamp, until: Timestamp?, noticeDays: Int
  ) {
    self.scope = scope
    self.audiences = audiences
    self.from = from
    self.until = until
    self.noticeDays = noticeDays
  }

  fileprivate func check() throws(Refusal) {
    if scope.isEmpty || audiences.isEmpty {
      throw Refusal(
        "emptyTerms", "an agreement needs at least one workload and one audience",
        help: "name them: --scope inference --audience internal")
    }
    if let until, until <= from {
      throw Refusal(
        "emptyTerms",
        "an agreement must end after it begins: it begins at \(from.moment), and would end at "
          + until.moment,
        help: "name an end after \(from.short), or none; a day stands for its first moment, UTC")
    }
    guard (0...Self.longestNoticeDays).contains(noticeDays) else {
      throw Refusal(
        "noticeOutOfRange", "notice is 0 to \(Self.longestNoticeDays) days, not \(noticeDays)",
        help: "name a number of days in between")
    }
  }

  /// Sorted and without doubles, so that equal terms are equal.
  fileprivate var normal: Terms {
    var terms = self
    terms.scope = Self.normal(scope)
    terms.audiences = Self.normal(audiences)
    return terms
  }

  private static func normal<Value: Comparable & Hashable>(_ values: [Value]) -> [Value] {
    let isNormal = zip(values, values.dropFirst()).allSatisfy { $0 < $1 }
    return isNormal ? values : Set(values).sorted()
  }
}

extension HostingState {
  package func agreement(of provider: Provider) -> Agreement? {
    provider.agreement.flatMap { agreements[$0] }
  }

  /// When a grant ends: with its own date or with the agreement, whichever comes first.
  package func end(of grant: Grant) -> Timestamp? {
    [grant.until, agreementEnd(of: grant.model)].compactMap { $0 }.min()
  }

  /// When all grants of a model end at the latest.
  package func agreementEnd(of model: ID<Model>) -> Timestamp? {
    models[model].flatMap { providers[$0.provider] }.flatMap { agreement(of: $0) }?.end
  }

  /// The agreement under which something of a provider may be begun now, for an audience and a
  /// workload; or the clause that forbids it.
  package func agreementAllowing(
    _ workload: Workload, for audience: Audience?, of provider: Provider, to attempt: String,
    now: Timestamp
  ) throws(Refusal) -> Agreement {
    if let suspendedAt = provider.suspendedAt {
      throw Refusal(
        "providerSuspended",
        "cannot \(attempt): provider \(provider.name) is suspended since \(suspendedAt.short)",
        help: "wharf provider reinstate \(provider.name)")
    }
    guard let agreement = agreement(of: provider), agreement.status(now: now) != "ended" else {
      throw Refusal(
        "noAgreement", "cannot \(attempt): no agreement with \(provider.name) is in force",
        help: "wharf agreement sign \(provider.name) --scope \(workload.rawValue) …")
    }
    let clauses = "agreement/\(agreement.id.position) with \(provider.name)"
    if now < agreement.terms.from {
      throw Refusal(
        "agreementNotYetInForce",
        "cannot \(attempt): \(clauses) is in force only from \(agreement.terms.from.short)",
        help:
          "do it from then on; when that is, does not change: wharf agreement show \(provider.name)"
      )
    }
    if agreement.terminatedAt != nil, let end = agreement.end {
      throw Refusal(
        "agreementTerminated",
        "cannot \(attempt): \(clauses) was terminated and ends on \(end.short); nothing new begins",
        help: "sign a new agreement once it has ended")
    }
    guard agreement.terms.scope.contains(workload) else {
      let scope = agreement.terms.scope.map(\.rawValue).joined(separator: ", ")
      throw Refusal(
        "workloadNotInScope",
        "cannot \(attempt): the clause 'scope: \(scope)' of \(clauses) does not allow "
          + workload.rawValue,
        help: "amend it, if the provider agrees: wharf agreement amend \(provider.name) --scope …")
    }
    if let audience, !agreement.terms.audiences.contains(audience) {
      let covered = agreement.terms.audiences.map(\.rawValue).joined(separator: ", ")
      throw Refusal(
        "audienceNotCovered",
        "cannot \(attempt): the clause 'audience: \(covered)' of \(clauses) does not cover "
          + "\(audience.rawValue) teams",
        help:
          "amend it, if the provider agrees: wharf agreement amend \(provider.name) --audience …"
      )
    }
    return agreement
  }
}

// MARK: Events

package enum AgreementEvents {
  static let types: [any Event.Type] = [
    AgreementSigned.self, AgreementAmended.self, AgreementTerminated.self, AgreementEnded.self,
  ]
}

package struct AgreementSigned: Event {
  package static let type = "agreementSigned"
  package let provider: ID<Provider>
  package let terms: Terms

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Agreement> = try fact.subject()
    let agreement = Agreement(
      id: id, provider: provider, signedAt: fact.recordedAt, terms: terms)
    let before = state.providers[provider].flatMap { state.agreement(of: $0)?.end }
    state.agreements[id] = agreement
    state.moveDates(of: id, from: HostingState.Dates(), to: HostingState.Dates(agreement))
    try state.providers.update(provider) { $0.agreement = id }
    if agreement.end != before { try state.renewAssignments(of: provider, fact) }
  }
}

package struct AgreementAmended: Event {
  package static let type = "agreementAmended"
  package let terms: Terms

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.changeAgreement(fact) { $0.terms = terms }
  }
}

package struct AgreementTerminated: Event {
  package static let type = "agreementTerminated"
  package let end: Timestamp

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.changeAgreement(fact) { agreement in
      agreement.terminatedAt = fact.recordedAt
      agreement.terminationDate = end
    }
  }
}

/// The end came: a fact appended once by the reconciler. Dates bite before it, where they are used.
package struct AgreementEnded: Event {
  package static let type = "agreementEnded"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Agreement> = try fact.subject()
    guard let agreement = state.agreements[id] else { throw Contradiction("there is no \(id)") }
    let before = HostingState.Dates(agreement)
    try state.agreements.change(id) { $0.ended = true }
    state.moveDates(of: id, from: before, to: HostingState.Dates())
  }
}

extension HostingState {
  fileprivate mutating func changeAgreement(
    _ fact: Fact, _ change: (inout Agreement) -> Void
  ) throws(Contradiction) {
    let id: ID<Agreement> = try fact.subject()
    guard var agreement = agreements[id] else { throw Contradiction("there is no \(id)") }
    let before = Dates(agreement)
    change(&agreement)
    let after = Dates(agreement)
    agreements[id] = agreement
    moveDates(of: id, from: before, to: after)
    guard after.end != before.end, providers[agreement.provider]?.agreement == id else { return }
    try renewAssignments(of: agreement.provider, fact)
  }

  fileprivate struct Dates {
    var from: Timestamp?
    var end: Timestamp?
    /// Of one that has ended nothing is due any more.
    var hasEnded = true

    init() {}

    init(_ agreement: Agreement) {
      from = agreement.terms.from
      end = agreement.end
      hasEnded = agreement.ended
    }
  }

  fileprivate mutating func moveDates(of id: ID<Agreement>, from old: Dates, to new: Dates) {
    endings.move(
      .beginning(id), from: old.hasEnded ? nil : old.from, to: new.hasEnded ? nil : new.from)
    endings.move(
      .agreement(id), from: old.hasEnded ? nil : old.end, to: new.hasEnded ? nil : new.end)
  }

  /// Agents hold the end of the agreement with what they run, and act on it unheard. Where it moves,
  /// what is to run on their nodes has changed.
  fileprivate mutating func renewAssignments(
    of provider: ID<Provider>, _ fact: Fact
  ) throws(Contradiction) {
    for (line, deployments) in deploymentsIn where line.provider == provider {
      for deployment in deployments {
        for node in (self.deployments[deployment]?.placedOn ?? [:]).keys {
          try reassign(node, fact)
        }
      }
    }
  }
}

extension TreeDictionary where Value: Equatable {
  /// Changes the value of a key that must be there.
  mutating func change(_ key: Key, _ body: (inout Value) -> Void) throws(Contradiction) {
    guard var value = self[key] else { throw Contradiction("there is no \(key)") }
    body(&value)
    self[key] = value
  }
}

// MARK: Commands

package enum AgreementCommands {
  static let types: [any Command.Type] = [
    SignAgreement.self, AmendAgreement.self, TerminateAgreement.self, EndAgreement.self,
  ]
}

package struct SignAgreement: Command {
  package static let type = "agreement.sign"
  package let provider: Name
  package let terms: Terms

  package init(provider: Name, terms: Terms) {
    self.provider = provider
    self.terms = terms
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.providers.require(provider)
    try terms.check()
    if let until = terms.until, until <= decision.now {
      throw Refusal(
        "backdated",
        "cannot sign an agreement with \(provider) until \(until.short): that is in the past, and "
          + "nothing is ever backdated", help: "name an end to come, or none")
    }
    if let current = state.agreement(of: found), current.status(now: decision.now) != "ended" {
      if current.terms == terms.normal, current.terminatedAt == nil { return }
      throw Refusal(
        "agreementExists",
        "\(provider) already has agreement/\(current.id.position), signed \(current.signedAt.short)",
        help: "wharf agreement amend \(provider) …, or terminate it first")
    }
    decision.create(Agreement.self, AgreementSigned(provider: found.id, terms: terms.normal))
  }
}

/// Changes terms; what is left out stays.
package struct AmendAgreement: Command {
  package static let type = "agreement.amend"
  package let provider: Name
  package let scope: [Workload]?
  package let audiences: [Audience]?
  package let until: Timestamp?
  package let noticeDays: Int?
  /// Takes the agreed end away: it holds until it is terminated.
  package let endless: Bool?

  package init(
    provider: Name, scope: [Workload]?, audiences: [Audience]?, until: Timestamp?, noticeDays: Int?,
    endless: Bool? = nil
  ) {
    self.provider = provider
    self.scope = scope
    self.audiences = audiences
    self.until = until
    self.noticeDays = noticeDays
    self.endless = endless
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let current = try state.requireAgreement(of: provider, to: "amend", now: decision.now)
    if endless == true, until != nil {
      throw Refusal(
        "endAmbiguous", "cannot amend the agreement with \(provider) to end and not to end",
        help: "name an end, or that there is none")
    }
    var terms = current.terms
    terms.scope = scope ?? terms.scope
    terms.audiences = audiences ?? terms.audiences
    terms.until = endless == true ? nil : until ?? terms.until
    terms.noticeDays = noticeDays ?? terms.noticeDays
    try terms.check()
    let normal = terms.normal
    // What was served until now cannot have ended before: an end has a notice, or at least a moment to come.
    if let until = terms.until, until != current.terms.until, until <= decision.now {
      throw Refusal(
        "backdated",
        "cannot amend the agreement with \(provider) to end on \(until.short): that is in the past, "
          + "and nothing is ever backdated",
        help: "end it with its notice: wharf agreement terminate \(provider); or on a day to come: "
          + "wharf agreement terminate \(provider) --at …")
    }
    if normal != current.terms {
      decision.record(AgreementAmended(terms: normal), on: current.id.stream)
    }
  }
}

/// Gives notice: nothing new begins from now on, and all ends at `end`.
package struct TerminateAgreement: Command {
  package static let type = "agreement.terminate"
  package let provider: Name
  /// After the agreed notice, when absent.
  package let end: Timestamp?

  package init(provider: Name, end: Timestamp?) {
    self.provider = provider
    self.end = end
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let current = try state.requireAgreement(of: provider, to: "terminate", now: decision.now)
    let wanted = end ?? decision.now.adding(days: current.terms.noticeDays)
    guard wanted >= decision.now else {
      throw Refusal(
        "backdated",
        "cannot terminate the agreement with \(provider) as of \(wanted.short): "
          + "nothing is ever backdated", help: "leave --at out, or name a date to come")
    }
    let actual = min(wanted, current.terms.until ?? wanted)
    if current.terminationDate != actual {
      decision.record(AgreementTerminated(end: actual), on: current.id.stream)
    }
  }
}

/// Notes that an agreement's end has come.
package struct EndAgreement: Command {
  package static let type = "agreement.end"
  package static let allowed: Set<Role> = [.system]
  package let agreement: ID<Agreement>

  package init(agreement: ID<Agreement>) { self.agreement = agreement }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard let found = state.agreements[agreement], !found.ended, let end = found.end,
      end <= decision.now
    else { return }
    decision.record(AgreementEnded(), on: agreement.stream)
  }
}

extension HostingState {
  fileprivate func requireAgreement(
    of provider: Name, to attempt: String, now: Timestamp
  ) throws(Refusal) -> Agreement {
    let found = try providers.require(provider)
    guard let current = agreement(of: found), current.status(now: now) != "ended" else {
      throw Refusal(
        "noAgreement", "cannot \(attempt) an agreement with \(provider): none is in force",
        help: "wharf agreement sign \(provider) …")
    }
    return current
  }
}
