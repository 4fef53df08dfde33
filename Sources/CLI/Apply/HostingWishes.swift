// Providers and their agreements, as they are wanted.

import Hosting
import Wire

struct ProviderWish: Decodable {
  let kind: String
  let name: Name
  let title: Text?

  func steps(_ current: ProviderItem?) throws(Fixed) -> [WishStep] {
    guard let current else { return [WishStep(RegisterProvider(name: name, title: title))] }
    if let title {
      try Fixed.check("title", of: "provider \(name)", is: current.title, wanted: title)
    }
    return []
  }
}

struct AgreementWish: Decodable {
  let kind: String
  let provider: Name
  let scope: [Workload]
  let audiences: [Audience]
  let from: Timestamp
  let until: Wanted<Timestamp>
  let noticeDays: Wanted<Int>

  func steps(_ current: AgreementItem?) throws(Fixed) -> [WishStep] {
    guard let current, current.status != "ended" || isOver(current) else {
      return [
        WishStep(
          SignAgreement(
            provider: provider,
            terms: Terms(
              scope: scope, audiences: audiences, from: from, until: until.over(nil),
              noticeDays: noticeDays.over(nil) ?? 0)))
      ]
    }
    if current.status == "ended" { return [] }
    let subject = "the agreement with \(provider)"
    try Fixed.check("beginning", of: subject, is: current.from, wanted: from)
    let end = until.over(current.until)
    let notice = noticeDays.over(current.noticeDays) ?? 0
    let amended = AmendAgreement(
      provider: provider, scope: Set(scope) == Set(current.scope) ? nil : scope,
      audiences: Set(audiences) == Set(current.audiences) ? nil : audiences,
      until: end == current.until ? nil : end,
      noticeDays: notice == current.noticeDays ? nil : notice,
      endless: end == nil && current.until != nil ? true : nil)
    let isSame =
      amended.scope == nil && amended.audiences == nil && amended.until == nil
      && amended.noticeDays == nil && amended.endless == nil
    return isSame ? [] : [WishStep(amended)]
  }

  /// The very agreement that is wanted has ended: a new one is signed with a beginning of its own.
  private func isOver(_ current: AgreementItem) -> Bool {
    current.from == from && until.over(current.until) == current.until
  }
}
