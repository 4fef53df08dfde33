// A head as a wharfd gave it out, with its seal: what whoever saw it shows later, to any wharfd of the same
// system. So a database that is short of it is found out by anybody who comes by, and by nobody who made it up:
// only who has the cluster secret can seal.

import Hosting

extension WharfHeader {
  /// On every reply: `ERA/POSITION/HASH/SEAL` of the head in `Wharf-Head`. On a request: the
  /// furthest such that the caller was ever given, as it was given.
  package static let sealedHead = "Wharf-Sealed-Head"
}

package struct SealedHead: Equatable, Sendable {
  package let head: HeadWitness
  /// Made from the cluster secret; nobody without it can tell a right one.
  package let seal: Digest

  package init(head: HeadWitness, seal: Digest) {
    self.head = head
    self.seal = seal
  }

  /// Instead of one, where whoever answers cannot vouch for the head that it tells.
  package static let none = "none"

  package var headerText: String { "\(head.headerText)/\(seal)" }

  package init?(headerText: String) {
    guard let end = headerText.lastIndex(of: "/"),
      let head = HeadWitness(headerText: String(headerText[..<end])),
      let seal = Digest(String(headerText[headerText.index(after: end)...]))
    else { return nil }
    self.init(head: head, seal: seal)
  }
}

extension SealedHead: Codable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let read = Self(headerText: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "wanted ERA/POSITION/HASH/SEAL")
    }
    self = read
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(headerText)
  }
}

extension SealedHead? {
  /// Takes what came with an answer, once that was believed: the furthest is kept.
  ///
  /// - Parameter believed: the furthest head that is believed. What was sealed beyond it, or of another
  ///   era, came with an answer that was not.
  package mutating func take(_ given: SealedHead?, believed: HeadWitness?) {
    guard let given, let believed, given.head.era == believed.era,
      given.head.position <= believed.position
    else { return }
    if let self, !given.head.isBeyond(self.head) { return }
    self = given
  }
}
