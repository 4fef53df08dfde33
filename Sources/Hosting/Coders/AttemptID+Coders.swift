// Written by `swift run wharf-records` from the fields in AttemptID.swift; not changed by hand.

extension ReplicaID {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      deployment: snapshot.read(),
      number: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(deployment)
    snapshot.write(number)
  }
}

extension AttemptID {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      replica: snapshot.read(),
      placedAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(replica)
    snapshot.write(placedAt)
  }
}
