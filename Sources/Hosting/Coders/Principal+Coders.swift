// Written by `swift run wharf-records` from the fields in Principal.swift; not changed by hand.

extension Credential {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      holder: snapshot.read(),
      use: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(holder)
    snapshot.write(use)
  }
}
