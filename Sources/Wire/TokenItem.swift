// Tokens of persons, and join tokens, as lists give them: never the secrets, nor their digests.

import Hosting

package struct TokenItem: NounItem {
  package static let kind = "token"
  /// The first characters, by which people tell their tokens apart.
  package var id: String
  package var person: String
  /// None of one from before tokens had names: it is called by its first characters.
  package var name: Name?
  package var issuedAt: Timestamp
  /// Good before this moment; without one until it is revoked.
  package var until: Timestamp?
  /// When the wharfd that was asked last saw it, since `watchedSince`; it says nothing of other wharfd.
  package var lastUsed: Timestamp?
  package var watchedSince: Timestamp?
  /// Whether this list was asked for with it.
  package var presented: Bool

  package var label: String { name?.text ?? id }

  package init(
    _ token: Token, of person: Person, isPresented: Bool, lastUsed: Timestamp?,
    watchedSince: Timestamp?
  ) {
    id = token.prefix.value
    self.person = person.label
    name = token.name
    issuedAt = token.issuedAt
    until = token.until
    self.lastUsed = lastUsed
    self.watchedSince = watchedSince
    presented = isPresented
  }
}

/// One that no agent has joined with yet.
package struct JoinTokenItem: NounItem {
  package static let kind = "join token"
  /// The id that the node will have.
  package var id: String
  package var prefix: Text?
  package var issuedAt: Timestamp
  package var until: Timestamp

  package var label: String { id }

  package init(_ token: JoinToken, id: ID<Node>) {
    self.id = id.description
    prefix = token.prefix
    issuedAt = token.issuedAt
    until = token.until
  }
}
