// What proofs are made of: the head with its signature, the exact rows of one thing, and the digests
// of all rows between. See Migrations/CHAIN.md.

import Hosting

/// `GET /v1/head`
package struct HeadItem: Codable, Equatable, Sendable, JSONWritable {
  package var era: Position
  package var position: Position
  package var hash: Digest
  package var recordedAt: Timestamp
  /// The head as a signed note.
  package var note: String
  /// The key that verifies the note: `NAME+HASH+KEY`.
  package var key: String

  package init(
    era: Position, position: Position, hash: Digest, recordedAt: Timestamp, note: String,
    key: String
  ) {
    self.era = era
    self.position = position
    self.hash = hash
    self.recordedAt = recordedAt
    self.note = note
    self.key = key
  }
}

/// `GET /v1/rows/KIND/NAME`: a row of the log, as its digest covers it.
package struct RowItem: Codable, Equatable, Sendable, JSONWritable {
  package var position: Position
  /// In hexadecimal.
  package var row: String

  package init(position: Position, row: String) {
    self.position = position
    self.row = row
  }
}

/// `GET /v1/digests?after=P&limit=N`: the digests of the rows that follow a position.
package struct DigestsItem: Codable, Equatable, Sendable, JSONWritable {
  /// At most this many in one reply.
  package static let longest = 10_000

  package var after: Position
  /// The hash at `after`.
  package var before: Digest
  package var digests: [Digest]

  package init(after: Position, before: Digest, digests: [Digest]) {
    self.after = after
    self.before = before
    self.digests = digests
  }
}

/// What `wharf history … --proof` writes: enough to check, with SHA-256 and Ed25519 alone, that these
/// rows stand in the log under this head.
package struct HistoryProof: JSONRecord, Equatable, Sendable {
  package var key: String
  package var note: String
  /// The hash before the first link.
  package var before: Digest
  /// One for each position up to that of the note.
  package var links: [Link]

  /// The exact bytes of a row in hexadecimal, or the digest of a row that is not shown.
  package struct Link: Codable, Equatable, Sendable, JSONWritable {
    package var row: String?
    package var digest: Digest?

    package init(row: String) { self.row = row }
    package init(digest: Digest) { self.digest = digest }
  }

  package init(key: String, note: String, before: Digest, links: [Link]) {
    self.key = key
    self.note = note
    self.before = before
    self.links = links
  }

  /// The hash that the links lead to; none where a link is neither a row nor a digest.
  package var hash: Digest? {
    var hash = before
    for link in links {
      guard
        let digest = link.digest
          ?? link.row.flatMap({ [UInt8](hexadecimal: $0) }).map({ Secret.digest(of: $0) })
      else { return nil }
      hash = Secret.digest(of: hash.bytes + digest.bytes)
    }
    return hash
  }
}
