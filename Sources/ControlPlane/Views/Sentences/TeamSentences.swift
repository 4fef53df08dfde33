// What is told of teams, their grants and their keys.

import HashTreeCollections
import Hosting

enum TeamSentences {
  static let all: [Teller] = [
    Teller(TeamRegistered.self) { event, telling in
      "Team \(telling.subject) was registered as \(event.audience.rawValue)."
    },
    Teller(AccessGranted.self) { event, telling in
      "\(telling.subject) was granted \(telling.name(event.model)) for \(event.workload.rawValue)"
        + Sentences.limits(event.quota) + Sentences.until(event.until) + "."
    },
    Teller(AccessRevoked.self) { event, telling in
      "\(telling.subject) lost its grant to \(telling.name(event.model)): it was revoked."
    },
    Teller(GrantExpired.self) { event, telling in
      "\(telling.subject) lost its grant to \(telling.name(event.model)): it ran out."
    },
    Teller(QuotaSet.self) { event, telling in
      let limits = Sentences.limits(event.quota)
      return "The quota of \(telling.subject) was set"
        + (limits.isEmpty ? ": no limit." : "\(limits).")
    },
    Teller(KeyIssued.self) { event, telling in
      "Key \(event.name) (\(event.prefix)…) was issued to \(telling.name(event.team))"
        + Sentences.until(event.until) + "."
    },
    Teller(KeyRotated.self) { event, telling in
      "Key \(telling.subject)\(owner(telling)) was rotated to \(event.prefix)…; the old one is good "
        + "until \(event.previousUntil.short)."
    },
    Teller(KeyRevoked.self) { _, telling in
      "Key \(telling.subject)\(owner(telling)) was revoked."
    },
    Teller(KeyExpired.self) { _, telling in
      "Key \(telling.subject)\(owner(telling)) ran out."
    },
  ]

  private static func owner(_ telling: Telling) -> String {
    guard let key = telling.before.keys[ID(telling.origin)] else { return "" }
    return " of \(telling.name(key.team))"
  }
}
