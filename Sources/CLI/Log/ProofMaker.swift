// Puts together the proof that the events of one thing stand in the log: its rows as they are, and
// the digests of all others from the first of them to the head. Checked here before it is given out.

import Hosting
import Wire

struct ProofMaker {
  private static let rowsPerPage = 1_000

  let client: Client

  func proof(of kind: HistoryKind, _ name: ThingName) async throws -> HistoryProof {
    let head = try await client.read(ItemReply<HeadItem>.self, "head").item
    let rows = try await rows("rows/\(kind.rawValue)/\(name.inPath)", upTo: head.position)
    guard let first = rows.keys.min() else {
      throw Failure(
        .refused, "there is no event to prove", help: "wharf history shows what is there")
    }
    var proof = HistoryProof(key: head.key, note: head.note, before: .zero, links: [])
    var position = Position(first.value - 1)
    while position < head.position {
      let limit = min(DigestsItem.longest, Int(head.position.value - position.value))
      let page = try await client.read(
        ItemReply<DigestsItem>.self, "digests", [("after", "\(position)"), ("limit", "\(limit)")]
      ).item
      if proof.links.isEmpty { proof.before = page.before }
      guard !page.digests.isEmpty else { break }
      for digest in page.digests {
        position = position.next
        proof.links.append(rows[position].map { .init(row: $0) } ?? .init(digest: digest))
      }
    }
    guard proof.hash == head.hash else {
      throw Failure(
        .refused, "WARNING: the rows of the log do not lead to the hash of its head",
        help: "have it checked with 'wharfd verify'")
    }
    return proof
  }

  private func rows(_ path: String, upTo head: Position) async throws -> [Position: String] {
    var rows: [Position: String] = [:]
    var after = Position.empty
    while true {
      let page = try await client.read(
        ItemsReply<RowItem>.self, path,
        [("after", "\(after)"), ("limit", "\(Self.rowsPerPage)")]
      ).items
      for item in page where item.position <= head { rows[item.position] = item.row }
      guard let last = page.last, page.count == Self.rowsPerPage else { return rows }
      after = last.position
    }
  }
}
