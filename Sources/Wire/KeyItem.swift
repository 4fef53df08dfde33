// A key of a team, as lists give it: never its secret, nor its digest.

import HashTreeCollections
import Hosting

package struct KeyItem: NounItem {
  package static let kind = "key"
  package var id: String
  package var team: String
  package var name: Name
  /// The first characters, by which people tell keys apart.
  package var prefix: Text
  package var issuedAt: Timestamp
  package var until: Timestamp?
  /// The secret before the last rotation is good until then.
  package var previousUntil: Timestamp?
  /// Those that are good: the current one, and for a while the one before.
  package var secrets: [LiveSecret]

  package struct LiveSecret: Codable, Equatable, Sendable, JSONWritable {
    /// Its first characters.
    package var prefix: Text
    /// Good before this moment; without one until the key is revoked.
    package var until: Timestamp?
  }

  package var label: String { "\(team)/\(name)" }

  package init(_ key: Key, _ view: Viewpoint) {
    id = key.id.description
    team = view.state.teams[key.team]?.label ?? key.team.description
    name = key.name
    prefix = key.prefix
    issuedAt = key.issuedAt
    until = key.until
    let previousEnd = key.previousEnd(at: view.moment)
    previousUntil = previousEnd
    secrets =
      key.hasEnded(by: view.moment) ? [] : [LiveSecret(prefix: key.prefix, until: key.until)]
    if let previous = key.previous, let previousEnd {
      secrets.append(LiveSecret(prefix: previous.prefix, until: previousEnd))
    }
  }
}
