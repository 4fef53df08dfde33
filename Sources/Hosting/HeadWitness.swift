// What was seen of a log, kept outside its database.

/// What was seen of the log, outside the database: a rewrite of it is found by comparing.
package struct HeadWitness: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  /// The position at which the era began.
  package var era: Position
  package var position: Position
  package var hash: Digest

  package init(era: Position, position: Position, hash: Digest) {
    self.era = era
    self.position = position
    self.hash = hash
  }
}

extension HeadWitness {
  /// Whether a log that is at this head is short of what was seen: of the same era and behind it, or of an
  /// era before. Of a later one it is by a person's word.
  package func isBeyond(_ head: HeadWitness) -> Bool {
    (head.era, head.position) < (era, position)
  }
}
