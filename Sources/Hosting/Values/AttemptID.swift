// Replicas and attempts have no streams of their own: a replica is a number within its deployment,
// an attempt is a replica and the position of the event that placed it.

/// `31.2`: the second replica ever made of the deployment that the event at 31 created.
package struct ReplicaID: Hashable, Comparable, Sendable, SnapshotValue {
  package let deployment: Position
  package let number: Int

  package init(deployment: Position, number: Int) {
    self.deployment = deployment
    self.number = number
  }

  package static func < (a: Self, b: Self) -> Bool {
    (a.deployment, a.number) < (b.deployment, b.number)
  }
}

/// `31.2.40`: the try to run replica 31.2 that the event at 40 placed.
package struct AttemptID: Hashable, Comparable, Sendable, SnapshotValue {
  package let replica: ReplicaID
  package let placedAt: Position

  package init(replica: ReplicaID, placedAt: Position) {
    self.replica = replica
    self.placedAt = placedAt
  }

  package static func < (a: Self, b: Self) -> Bool {
    (a.replica, a.placedAt) < (b.replica, b.placedAt)
  }
}

extension ReplicaID: JSONText, CustomStringConvertible {
  package init(jsonText: String) throws(Malformed) {
    let parts = jsonText.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let deployment = Position(text: parts[0]),
      let number = Position(text: parts[1])
    else { throw Malformed("'\(jsonText.shortened(to: 40))' is no replica id, as 31.2 is") }
    self.init(deployment: deployment, number: Int(number.value))
  }
  package var jsonText: String { "\(deployment).\(number)" }
  package var description: String { jsonText }
}

extension AttemptID: JSONText, CustomStringConvertible {
  package init(jsonText: String) throws(Malformed) {
    let parts = jsonText.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let deployment = Position(text: parts[0]),
      let number = Position(text: parts[1]), let placedAt = Position(text: parts[2])
    else { throw Malformed("'\(jsonText.shortened(to: 40))' is no attempt id, as 31.2.40 is") }
    self.init(
      replica: ReplicaID(deployment: deployment, number: Int(number.value)), placedAt: placedAt)
  }
  package var jsonText: String { "\(replica).\(placedAt)" }
  package var description: String { jsonText }
}

extension Stream: JSONText {
  package init(jsonText: String) throws(Malformed) {
    guard let value = Stream(jsonText) else {
      throw Malformed("'\(jsonText.shortened(to: 40))' is no stream, as provider/17 is")
    }
    self = value
  }
  package var jsonText: String { description }
}
