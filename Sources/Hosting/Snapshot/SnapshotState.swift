// The whole state in a snapshot, its indexes included, so that nothing has to be found anew.

import HashTreeCollections

extension Credential.Use: SnapshotValue {
  private static let names = [
    "invitation until", "joinToken until", "token until", "agent", "gateway", "removed",
  ]

  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    switch try snapshot.tag(of: Self.names) {
    case 0: self = .invitation(until: try snapshot.read())
    case 1: self = .joinToken(until: try snapshot.read())
    case 2: self = .token(until: try snapshot.read())
    case 3: self = .agent
    case 4: self = .gateway
    case 5: self = .removed
    default: throw snapshot.unknownCase()
    }
  }
  package func write(to snapshot: inout SnapshotWriter) {
    switch self {
    case .invitation(let until):
      snapshot.tag(0)
      snapshot.write(until)
    case .joinToken(let until):
      snapshot.tag(1)
      snapshot.write(until)
    case .token(let until):
      snapshot.tag(2)
      snapshot.write(until)
    case .agent: snapshot.tag(3)
    case .gateway: snapshot.tag(4)
    case .removed: snapshot.tag(5)
    }
  }
}
