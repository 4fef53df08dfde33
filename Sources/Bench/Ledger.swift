// What was acknowledged against what is stored. A store that loses, doubles or reorders an event has
// no speed worth reporting, so any fault here voids the arm.

import Hosting

/// What an append was answered with.
package struct Acknowledgement: Sendable {
  package let producer: Int
  /// Counts the producer's appends, in the order in which it made them.
  package let sequence: Int
  package let id: CommandID
  /// None where the store answers with no place.
  package let position: Int64?
  package let nanoseconds: Int64

  package init(
    producer: Int, sequence: Int, id: CommandID, position: Int64?, nanoseconds: Int64
  ) {
    self.producer = producer
    self.sequence = sequence
    self.id = id
    self.position = position
    self.nanoseconds = nanoseconds
  }
}

/// An event as it was read back.
package struct StoredEntry: Sendable {
  package let id: CommandID
  package let position: Int64

  package init(id: CommandID, position: Int64) {
    self.id = id
    self.position = position
  }
}

package enum Ledger {
  /// At most this many faults of a kind are told one by one.
  private static let toldLimit = 3

  /// - Parameters:
  ///   - stored: in the order of the store.
  ///   - first: where the first event must stand, in a store whose positions have no gaps.
  /// - Returns: what does not fit; empty when all is well.
  package static func faults(
    acknowledged: [Acknowledgement], stored: [StoredEntry], first: Int64? = nil
  ) -> [String] {
    var faults: [String] = []
    var places: [CommandID: [Int64]] = [:]
    for entry in stored { places[entry.id, default: []].append(entry.position) }
    let missed = acknowledged.filter { places[$0.id] == nil }
    let doubled = places.values.filter { $0.count > 1 }
    faults += tell("acknowledged and not stored", missed.map { "\($0.id)" })
    faults += tell("stored more than once", doubled.map { "at \($0.sorted())" })
    let known = Set(acknowledged.map(\.id))
    faults += tell(
      "stored and never acknowledged", stored.filter { !known.contains($0.id) }.map { "\($0.id)" })
    let elsewhere = acknowledged.filter { entry in
      guard let position = entry.position, let found = places[entry.id] else { return false }
      return !found.contains(position)
    }
    faults += tell("not where it was acknowledged", elsewhere.map { "\($0.id)" })
    if let first {
      let gaps = stored.enumerated().filter { $0.element.position != first + Int64($0.offset) }
      faults += tell("a position out of line", gaps.map { "\($0.element.position)" })
    }
    return faults + reordered(acknowledged, places)
  }

  /// A producer waits for each answer, so its events stand in the order in which it sent them.
  private static func reordered(
    _ acknowledged: [Acknowledgement], _ places: [CommandID: [Int64]]
  ) -> [String] {
    var wrong: [String] = []
    for (producer, entries) in Dictionary(grouping: acknowledged, by: \.producer) {
      let inOrder = entries.sorted { $0.sequence < $1.sequence }.compactMap { places[$0.id]?.first }
      for (before, after) in zip(inOrder, inOrder.dropFirst()) where after <= before {
        wrong.append("producer \(producer): \(after) after \(before)")
      }
    }
    return tell("out of the order in which they were sent", wrong)
  }

  private static func tell(_ kind: String, _ cases: [String]) -> [String] {
    guard !cases.isEmpty else { return [] }
    let rest = cases.count > toldLimit ? " and \(cases.count - toldLimit) more" : ""
    return ["\(kind): \(cases.prefix(toldLimit).joined(separator: ", "))\(rest)"]
  }
}
