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

  package var label: String { "\(team)/\(name)" }

  package init(_ key: Key, _ view: Viewpoint) {
    id = key.id.description
    team = view.state.teams[key.team]?.label ?? key.team.description
    name = key.name
    prefix = key.prefix
    issuedAt = key.issuedAt
    until = key.until
    previousUntil = key.previous?.until
  }
}
