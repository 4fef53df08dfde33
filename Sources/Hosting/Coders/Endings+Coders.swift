// Written by `swift run wharf-records` from the fields in Endings.swift; not changed by hand.

extension Endings {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      dated: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(dated)
  }
}

extension Endings.Dated {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      until: snapshot.read(),
      ending: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(until)
    snapshot.write(ending)
  }
}
