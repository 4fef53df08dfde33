// A team with its grants, as it is wanted. Where grants are listed, the list is all of them: others
// are revoked. What is not said of a team or a grant stays as it is.

import Hosting
import Wire

struct TeamWish: Decodable {
  struct Grant: Decodable, Equatable {
    let model: ModelReference
    let workload: Kept<Workload>
    let requestsPerMinute: Wanted<Int>
    let tokensPerMinute: Wanted<Int>
    let until: Wanted<Timestamp>
  }

  let kind: String
  let name: Name
  let title: Kept<Text>
  let audience: Kept<Audience>
  let requestsPerMinute: Wanted<Int>
  let tokensPerMinute: Wanted<Int>
  let grants: Whole<Grant>

  /// What may stand once in it.
  var once: [(path: String, key: String)] {
    return (grants.value ?? []).enumerated().map {
      ("grants[\($0.offset)].model", $0.element.model.key)
    }
  }

  var namesEnds: Bool { (grants.value ?? []).contains { $0.until.over(nil) != nil } }

  /// - Parameter past: a moment that has passed, where it matters.
  func steps(_ current: TeamItem?, past: Timestamp? = nil) throws -> [WishStep] {
    var steps: [WishStep] = []
    if let current {
      if let audience = audience.value {
        try Fixed.check(
          "audience", of: "team \(name)", is: current.audience, wanted: audience, at: "audience")
      }
      if let title = title.value {
        try Fixed.check("title", of: "team \(name)", is: current.title, wanted: title, at: "title")
      }
    } else {
      let audience = try audience.required("audience", of: "team \(name)", such: "internal")
      steps.append(
        WishStep(RegisterTeam(name: name, title: title.value, audience: audience)))
    }
    let now = Quota(
      requestsPerMinute: current?.requestsPerMinute, tokensPerMinute: current?.tokensPerMinute)
    let quota = Quota(
      requestsPerMinute: requestsPerMinute.over(now.requestsPerMinute),
      tokensPerMinute: tokensPerMinute.over(now.tokensPerMinute))
    if quota != now {
      let path =
        quota.requestsPerMinute == now.requestsPerMinute ? "tokensPerMinute" : "requestsPerMinute"
      steps.append(WishStep(SetQuota(team: name, quota: quota), at: path))
    }
    guard let wanted = grants.value else { return steps }
    for (index, grant) in wanted.enumerated() {
      if let step = step(grant, at: "grants[\(index)]", current, past) { steps.append(step) }
    }
    let kept = Set(wanted.map(\.model.key))
    for grant in current?.grants ?? [] where !kept.contains(grant.model.lowercased()) {
      steps.append(
        WishStep(
          RevokeAccess(team: name, model: try ModelReference(jsonText: grant.model)), at: "grants"))
    }
    return steps
  }

  private func step(_ grant: Grant, at path: String, _ current: TeamItem?, _ past: Timestamp?)
    -> WishStep?
  {
    let known = current?.grants.first { $0.model.lowercased() == grant.model.key }
    let quota = Quota(
      requestsPerMinute: grant.requestsPerMinute.over(known?.requestsPerMinute),
      tokensPerMinute: grant.tokensPerMinute.over(known?.tokensPerMinute))
    let workload = grant.workload.value ?? known?.workload ?? .inference
    let until = grant.until.over(known?.until)
    if let known, known.workload == workload, known.until == until,
      known.requestsPerMinute == quota.requestsPerMinute,
      known.tokensPerMinute == quota.tokensPerMinute
    {
      return nil
    }
    // A grant that is wanted until a date which has passed is none, whenever that is asked for.
    if let until, let past, until <= past {
      return known == nil ? nil : WishStep(RevokeAccess(team: name, model: grant.model), at: path)
    }
    let late: WishStep.Late =
      until == nil
      ? .refused : known == nil ? .done : .instead(RevokeAccess(team: name, model: grant.model))
    return WishStep(
      GrantAccess(
        team: name, model: grant.model, workload: workload, quota: quota, until: until), at: path,
      late: late)
  }
}
