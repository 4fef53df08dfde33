// How whoever saw a log finds that it was rewritten, also where the log has gone on since: with each
// request it names the position that it saw last, and the reply says what stands there now.

import Hosting

extension WharfHeader {
  /// On a request: what was seen, as `ERA/POSITION/HASH`, or its position. On the reply: `POSITION/HASH` of
  /// what the log holds there, or `POSITION/none` from a leader whose log ends before it.
  package static let seen = "Wharf-Seen"
}

/// What a log says of a position that was asked about.
package struct SeenEcho: Equatable, Sendable {
  package let position: Position
  /// None: the log ends before it.
  package let hash: Digest?

  package init(position: Position, hash: Digest?) {
    self.position = position
    self.hash = hash
  }

  package var headerText: String { "\(position)/\(hash?.description ?? "none")" }

  package init?(headerText: String) {
    let parts = headerText.split(separator: "/")
    guard parts.count == 2, let position = Position(text: parts[0]) else { return nil }
    self.position = position
    if parts[1] == "none" {
      hash = nil
    } else {
      guard let hash = Digest(String(parts[1])) else { return nil }
      self.hash = hash
    }
  }
}

extension HeadWitness {
  /// Why a log with this head and echo is not the one that this witness saw; none where it may be.
  /// An era that began at or before the position is another matter: it lost what was seen there.
  package func contradiction(in head: HeadWitness, _ echo: SeenEcho?) -> String? {
    guard let echo, echo.position == position, head.era == era || position < head.era else {
      return nil
    }
    let place = "position \(position) of era \(era)"
    guard let found = echo.hash else {
      return "\(place) was seen before, and now the log ends at \(head.position)"
    }
    return found == hash
      ? nil : "\(place) had the hash \(hash), and has now \(found)"
  }
}
