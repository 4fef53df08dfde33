// Providers and their agreements, as they are wanted.

import Hosting
import Wire

struct ProviderWish: JSONRecord {
  let kind: String
  let name: Name
  let title: Text?

  func commands(_ current: ProviderItem?) throws(Fixed) -> [any Command] {
    guard let current else { return [RegisterProvider(name: name, title: title)] }
    if let title {
      try Fixed.check("title", of: "provider \(name)", is: current.title, wanted: title)
    }
    return []
  }
}

struct AgreementWish: JSONRecord {
  let kind: String
  let provider: Name
  let scope: [Workload]
  let audiences: [Audience]
  let from: Timestamp
  let until: Timestamp?
  let noticeDays: Int?

  func commands(_ current: AgreementItem?) throws(Fixed) -> [any Command] {
    guard let current, current.status != "ended" else {
      return [
        SignAgreement(
          provider: provider,
          terms: Terms(
            scope: scope, audiences: audiences, from: from, until: until,
            noticeDays: noticeDays ?? 0))
      ]
    }
    let subject = "the agreement with \(provider)"
    try Fixed.check("beginning", of: subject, is: current.from, wanted: from)
    let amended = AmendAgreement(
      provider: provider, scope: Set(scope) == Set(current.scope) ? nil : scope,
      audiences: Set(audiences) == Set(current.audiences) ? nil : audiences,
      until: until == current.until ? nil : until,
      noticeDays: noticeDays == nil || noticeDays == current.noticeDays ? nil : noticeDays)
    let isSame =
      amended.scope == nil && amended.audiences == nil && amended.until == nil
      && amended.noticeDays == nil
    return isSame ? [] : [amended]
  }
}
