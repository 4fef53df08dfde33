// views.agreements

import HashTreeCollections
import Hosting

enum AgreementRows {
  static let agreements = RowMaker<Seen<Agreement>>(
    "agreements",
    [
      .text("id") { $0.it.id.description },
      .text("provider_id") { $0.it.provider.description },
      .text("provider") { $0.state.called($0.it.provider) },
      .text("status") { status($0.it) },
      .texts("scope") { $0.it.terms.scope.map(\.rawValue) },
      .texts("audiences") { $0.it.terms.audiences.map(\.rawValue) },
      .time("signed_at") { $0.it.signedAt },
      .time("starts_at") { $0.it.terms.from },
      .time("agreed_until") { $0.it.terms.until },
      .count("notice_days") { $0.it.terms.noticeDays },
      .time("terminated_at") { $0.it.terminatedAt },
      .time("ends_at") { $0.it.end },
    ])

  /// What was recorded: a view does not ask what time it is.
  private static func status(_ agreement: Agreement) -> String {
    if agreement.ended { return "ended" }
    return agreement.terminatedAt == nil ? "signed" : "terminated"
  }

  static func add(_ id: ID<Agreement>, of state: HostingState, to rows: inout RowSet) {
    if let agreement = state.agreements[id] {
      rows.add(agreements, Seen(it: agreement, state: state))
    }
  }
}

extension HostingState {
  /// A thing's name, or its id where it has none: for columns that show the name beside the id.
  func called<Of: Identified>(_ id: ID<Of>) -> String { label(of: id.stream) ?? id.description }
}
