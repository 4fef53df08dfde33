// Providers and their agreements, as they are wanted.

import Hosting
import Wire

struct ProviderWish: Decodable {
  let kind: String
  let name: Name
  let title: Kept<Text>

  func steps(_ current: ProviderItem?) throws(Fixed) -> [WishStep] {
    guard let current else { return [WishStep(RegisterProvider(name: name, title: title.value))] }
    if let title = title.value {
      try Fixed.check(
        "title", of: "provider \(name)", is: current.title, wanted: title, at: "title")
    }
    return []
  }
}

struct AgreementWish: Decodable {
  let kind: String
  let provider: Name
  let scope: Kept<[Workload]>
  let audiences: Kept<[Audience]>
  let from: Kept<Timestamp>
  let until: Wanted<Timestamp>
  let noticeDays: Wanted<Int>

  func steps(_ current: AgreementItem?) throws(Fixed) -> [WishStep] {
    guard let current, current.status != "ended" || isOver(current) else {
      let subject = "agreement with \(provider) in force"
      return [
        WishStep(
          SignAgreement(
            provider: provider,
            terms: Terms(
              scope: try scope.required("scope", of: subject, such: "[inference]"),
              audiences: try audiences.required("audiences", of: subject, such: "[internal]"),
              from: try from.required("from", of: subject, such: "2025-05-01"),
              until: until.over(nil), noticeDays: noticeDays.over(nil) ?? 0)))
      ]
    }
    if current.status == "ended" { return [] }
    if let from = from.value {
      try Fixed.check(
        "beginning", of: "the agreement with \(provider)", is: current.from, wanted: from,
        at: "from",
        help: "leave 'from' out; another agreement can be signed once this one has ended: "
          + "wharf agreement terminate \(provider)")
    }
    let end = until.over(current.until)
    let notice = noticeDays.over(current.noticeDays) ?? 0
    let amended = AmendAgreement(
      provider: provider, scope: Self.changed(scope, current.scope),
      audiences: Self.changed(audiences, current.audiences),
      until: end == current.until ? nil : end,
      noticeDays: notice == current.noticeDays ? nil : notice,
      endless: end == nil && current.until != nil ? true : nil)
    let isSame =
      amended.scope == nil && amended.audiences == nil && amended.until == nil
      && amended.noticeDays == nil && amended.endless == nil
    return isSame ? [] : [WishStep(amended)]
  }

  private static func changed<Value: Hashable>(
    _ wanted: Kept<[Value]>, _ current: [Value]
  ) -> [Value]? {
    wanted.value.flatMap { Set($0) == Set(current) ? nil : $0 }
  }

  /// The very agreement that is wanted has ended: a new one is signed with a beginning of its own.
  private func isOver(_ current: AgreementItem) -> Bool {
    (from.value ?? current.from) == current.from && until.over(current.until) == current.until
  }
}
