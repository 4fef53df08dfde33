// A team with its grants, as it is wanted. Where grants are listed, the list is all of them: others
// are revoked.

import Hosting
import Wire

struct TeamWish: JSONRecord {
  struct Grant: Codable {
    let model: ModelReference
    let workload: Workload?
    let requestsPerMinute: Int?
    let tokensPerMinute: Int?
    let until: Timestamp?

    func isAs(_ item: GrantItem) -> Bool {
      item.model.lowercased() == model.key && item.workload == workload ?? .inference
        && item.requestsPerMinute == requestsPerMinute && item.tokensPerMinute == tokensPerMinute
        && item.until == until
    }
  }

  let kind: String
  let name: Name
  let title: Text?
  let audience: Audience
  let requestsPerMinute: Int?
  let tokensPerMinute: Int?
  let grants: [Grant]?

  func commands(_ current: TeamItem?) throws -> [any Command] {
    var commands: [any Command] = []
    if let current {
      try Fixed.check("audience", of: "team \(name)", is: current.audience, wanted: audience)
      if let title {
        try Fixed.check("title", of: "team \(name)", is: current.title, wanted: title)
      }
    } else {
      commands.append(RegisterTeam(name: name, title: title, audience: audience))
    }
    if current?.requestsPerMinute != requestsPerMinute
      || current?.tokensPerMinute != tokensPerMinute
    {
      commands.append(
        SetQuota(
          team: name,
          quota: Quota(requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute)))
    }
    guard let grants else { return commands }
    for wanted in grants where current?.grants.contains(where: wanted.isAs) != true {
      commands.append(
        GrantAccess(
          team: name, model: wanted.model, workload: wanted.workload,
          quota: Quota(
            requestsPerMinute: wanted.requestsPerMinute, tokensPerMinute: wanted.tokensPerMinute),
          until: wanted.until))
    }
    let kept = Set(grants.map(\.model.key))
    for grant in current?.grants ?? [] where !kept.contains(grant.model.lowercased()) {
      commands.append(RevokeAccess(team: name, model: try ModelReference(jsonText: grant.model)))
    }
    return commands
  }
}
