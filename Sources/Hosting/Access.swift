// Whether a team may use a model now, and why not. One function says it, of facts that are few and small:
// the gateway asks it for each request, of the facts that it was told; whoever explains asks it of the state.
//
// 1. A model that the team may not know of is, for it, one that does not exist.
// 2. A grant counts only while an agreement covers it: its workload, the team's side, and the moment.
// 3. Of two reasons the one that a person can do least about is told: first the provider's, then the dates.

import HashTreeCollections

package struct Access: Equatable, Sendable {
  /// What the team was given.
  package struct Given: Equatable, Sendable {
    package let workload: Workload
    package let until: Timestamp?

    package init(workload: Workload, until: Timestamp?) {
      self.workload = workload
      self.until = until
    }
  }

  /// Who makes the model, and what was agreed with them.
  package struct Source: Equatable, Sendable {
    package let label: String
    package let isSuspended: Bool
    package let agreement: AgreedTerms?

    package init(label: String, isSuspended: Bool, agreement: AgreedTerms?) {
      self.label = label
      self.isSuspended = isSuspended
      self.agreement = agreement
    }
  }

  package let team: Name
  package let audience: Audience
  package let model: String
  /// The audiences that may know of it.
  package let published: Set<Audience>
  package let given: Given?
  package let ended: EndedGrant?
  package let source: Source?

  package init(
    team: Name, audience: Audience, model: String, published: Set<Audience>, given: Given?,
    ended: EndedGrant?, source: Source?
  ) {
    self.team = team
    self.audience = audience
    self.model = model
    self.published = published
    self.given = given
    self.ended = ended
    self.source = source
  }

  package enum Ruling: Equatable, Sendable {
    case granted
    case refused(Bar)
    /// The team may not know of it.
    case unknown
  }

  package func ruling(at now: Timestamp) -> Ruling {
    guard let given else {
      if let ended {
        return .refused(ended.cause == .revoked ? .revoked(ended.at) : .expired(ended.at))
      }
      return published.contains(audience) ? .refused(.notGranted) : .unknown
    }
    guard let source else { return .refused(.notCovered) }
    if source.isSuspended { return .refused(.suspended) }
    guard let agreement = source.agreement else { return .refused(.notCovered) }
    if let bar = agreement.bar(given.workload, for: audience, at: now) { return .refused(bar) }
    if let until = given.until, until <= now { return .refused(.expired(until)) }
    return .granted
  }

  /// Why a grant that there is, or was, lets nothing through.
  package enum Bar: Equatable, Sendable {
    case notGranted
    case revoked(Timestamp)
    case expired(Timestamp)
    case suspended
    /// No agreement that was signed covers it.
    case notCovered
    case notBegun(Timestamp)
    case agreementEnded(Timestamp?)

    /// Stable, for programs.
    package var code: String {
      switch self {
      case .notGranted: "notGranted"
      case .revoked: "grantRevoked"
      case .expired: "grantExpired"
      case .suspended: "providerSuspended"
      case .notCovered, .notBegun, .agreementEnded: "noAgreement"
      }
    }
  }

  /// For whoever asked: names the model, and nothing that the team may not know of.
  package func message(_ bar: Bar) -> String {
    let provider = source?.label ?? "its provider"
    return switch bar {
    case .notGranted: "team \(team) has no access to \(model)"
    case .revoked(let at): "access of team \(team) to \(model) was revoked on \(at.short)"
    case .expired(let at): "access of team \(team) to \(model) ran out at \(at.short) UTC"
    case .suspended: "\(model) is not served: provider \(provider) is suspended"
    case .notCovered:
      "\(model) is not served: no agreement with \(provider) that covers team \(team) is in force"
    case .notBegun(let from):
      "\(model) is not served before \(from.short) UTC: the agreement with \(provider) begins then"
    case .agreementEnded(let end):
      "\(model) is not served: the agreement with \(provider) ended"
        + (end.map { " at \($0.short) UTC" } ?? "")
    }
  }
}

/// What an agreement allows, and when.
package struct AgreedTerms: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package var scope: [Workload]
  package var audiences: [Audience]
  /// Set where it begins later than it was signed.
  package var from: Timestamp?
  package var end: Timestamp?
  /// The end was noted.
  package var ended: Bool

  package init(
    scope: [Workload], audiences: [Audience], from: Timestamp?, end: Timestamp?, ended: Bool
  ) {
    self.scope = scope
    self.audiences = audiences
    self.from = from
    self.end = end
    self.ended = ended
  }

  package init(_ agreement: Agreement) {
    self.init(
      scope: agreement.terms.scope, audiences: agreement.terms.audiences,
      from: agreement.terms.from > agreement.signedAt ? agreement.terms.from : nil,
      end: agreement.end, ended: agreement.ended)
  }

  func bar(_ workload: Workload, for audience: Audience, at now: Timestamp) -> Access.Bar? {
    guard scope.contains(workload), audiences.contains(audience) else { return .notCovered }
    if ended || end.map({ $0 <= now }) ?? false { return .agreementEnded(end) }
    if let from, now < from { return .notBegun(from) }
    return nil
  }
}

extension HostingState {
  /// The facts that decide on a team's access to a model.
  package func access(of team: Team, to model: Model) -> Access {
    let provider = providers[model.provider]
    return Access(
      team: team.name, audience: team.audience, model: model.label,
      published: Set(model.published.keys),
      given: team.grants[model.id].map { .init(workload: $0.workload, until: $0.until) },
      ended: team.endedGrants[model.id],
      source: provider.map {
        .init(
          label: $0.label, isSuspended: $0.suspendedAt != nil,
          agreement: agreement(of: $0).map(AgreedTerms.init))
      })
  }
}
