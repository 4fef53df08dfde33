// `wharf team`: who uses models, and which.

import ArgumentParser
import Hosting
import Wire

struct TeamNoun: Noun {
  static let configuration = CommandConfiguration(
    commandName: "team", abstract: "Teams and what they may use.",
    subcommands: [
      TeamRegister.self, TeamGrant.self, TeamRevoke.self, TeamQuota.self, TeamList.self,
      TeamShow.self,
    ])

  static let path = "teams"

  static var columns: [Column<TeamItem>] {
    [
      Column("NAME") { Cell($0.name.text, .strong) },
      Column("TITLE") { Cell($0.title.value) },
      Column("AUDIENCE") { Cell($0.audience.rawValue) },
      Column("GRANTS") { Cell($0.grants.map(\.model).joined(separator: ", ")) },
      Column("KEYS") { Cell($0.keys) },
      Column("REGISTERED", wide: true) { Cell($0.registeredAt.short) },
      Column("ID", wide: true) { Cell($0.id) },
    ]
  }

  static func details(_ item: TeamItem) -> Details {
    var details = Details(fields: [
      ("name", Cell(item.name.text, .strong)), ("title", Cell(item.title.value)),
      ("id", Cell(item.id)), ("audience", Cell(item.audience.rawValue)),
      (
        "quota",
        Cell(
          "\(limit(item.requestsPerMinute)) requests, "
            + "\(limit(item.tokensPerMinute)) tokens a minute"
        )
      ),
      ("keys", Cell(item.keys)), ("registered", Cell(item.registeredAt.short)),
    ])
    details.add(
      "GRANTS", ["MODEL", "WORKLOAD", "REQUESTS/MIN", "TOKENS/MIN", "SINCE", "UNTIL"],
      item.grants.map { grant in
        [
          Cell(grant.model, .strong), Cell(grant.workload.rawValue), Cell(grant.requestsPerMinute),
          Cell(grant.tokensPerMinute), Cell(grant.grantedAt.short),
          Cell((grant.ends ?? grant.until)?.short),
        ]
      })
    details.add(
      "LIMITS", ["MODEL", "WHAT", "A MINUTE", "USED", "OWED", "LEFT", "AS OF"],
      (item.limits ?? []).map { limit in
        [
          Cell(limit.model ?? "all"), Cell(limit.kind.rawValue), Cell(limit.perMinute),
          Cell(limit.used), Cell(limit.owed ?? 0), Cell("\(limit.left)", .strong),
          Cell(limit.ageSeconds.map { "\(Int($0.rounded())) s ago" } ?? "no gateway"),
        ]
      })
    details.add(
      "ENDED GRANTS", ["MODEL", "CAUSE", "AT"],
      item.endedGrants.map {
        [Cell($0.model, .strong), Cell($0.cause.rawValue), Cell($0.endedAt.short)]
      })
    return details
  }

  private static func limit(_ count: Int?) -> String { count.map { String($0) } ?? "any number of" }
}
