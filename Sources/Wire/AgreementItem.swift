// An agreement with its terms, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct AgreementItem: NounItem {
  package static let kind = "agreement"
  package var id: String
  package var provider: String
  /// `signed`, `in force`, `terminated`, `ended`, at the moment that was asked for.
  package var status: String
  package var scope: [Workload]
  package var audiences: [Audience]
  package var from: Timestamp
  package var until: Timestamp?
  package var noticeDays: Int
  package var signedAt: Timestamp
  package var terminatedAt: Timestamp?
  /// When all under it ends: as agreed, or as the notice set.
  package var end: Timestamp?

  package var label: String { provider }

  package init(_ agreement: Agreement, _ view: Viewpoint) {
    id = agreement.id.description
    provider = view.providerName(agreement.provider)
    status = agreement.status(now: view.moment)
    scope = agreement.terms.scope
    audiences = agreement.terms.audiences
    from = agreement.terms.from
    until = agreement.terms.until
    noticeDays = agreement.terms.noticeDays
    signedAt = agreement.signedAt
    terminatedAt = agreement.terminatedAt
    end = agreement.end
  }
}
