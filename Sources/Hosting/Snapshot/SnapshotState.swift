// The whole state in a snapshot, its indexes included, so that nothing has to be found anew.

import HashTreeCollections

extension HostingState: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      position: snapshot.read(), recordedAt: snapshot.read(), streamHeads: snapshot.read())
    log = try snapshot.read()
    persons = try snapshot.read()
    credentials = try snapshot.read()
    removals = try snapshot.read()
    providers = try snapshot.read()
    agreements = try snapshot.read()
    engines = try snapshot.read()
    models = try snapshot.read()
    teams = try snapshot.read()
    keys = try snapshot.read()
    keyBySecret = try snapshot.read()
    nodes = try snapshot.read()
    deployments = try snapshot.read()
    attempts = try snapshot.read()
    gateways = try snapshot.read()
    gatewayProcesses = try snapshot.read()
    gatewayGrace = try snapshot.read()
    unsettled = try snapshot.read()
    deploymentsIn = try snapshot.read()
    lostNodes = try snapshot.read()
    joinTokens = try snapshot.read()
    endings = try snapshot.read()
    unerased = try snapshot.read()
    leaving = try snapshot.read()
    departing = try snapshot.read()
    lostSecretAttempts = try snapshot.read()
  }

  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(position)
    snapshot.write(recordedAt)
    snapshot.write(streamHeads)
    snapshot.write(log)
    snapshot.write(persons)
    snapshot.write(credentials)
    snapshot.write(removals)
    snapshot.write(providers)
    snapshot.write(agreements)
    snapshot.write(engines)
    snapshot.write(models)
    snapshot.write(teams)
    snapshot.write(keys)
    snapshot.write(keyBySecret)
    snapshot.write(nodes)
    snapshot.write(deployments)
    snapshot.write(attempts)
    snapshot.write(gateways)
    snapshot.write(gatewayProcesses)
    snapshot.write(gatewayGrace)
    snapshot.write(unsettled)
    snapshot.write(deploymentsIn)
    snapshot.write(lostNodes)
    snapshot.write(joinTokens)
    snapshot.write(endings)
    snapshot.write(unerased)
    snapshot.write(leaving)
    snapshot.write(departing)
    snapshot.write(lostSecretAttempts)
  }
}

extension LogState: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      era: snapshot.read(), leader: snapshot.read(), formatLevel: snapshot.read(),
      secretFingerprint: snapshot.read(), marks: snapshot.read(), unnamedUntil: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(era)
    snapshot.write(leader)
    snapshot.write(formatLevel)
    snapshot.write(secretFingerprint)
    snapshot.write(marks)
    snapshot.write(unnamedUntil)
  }
}

extension Era: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(position: snapshot.read(), database: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(position)
    snapshot.write(database)
  }
}

extension DatabaseIdentity: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      systemIdentifier: snapshot.read(), timeline: snapshot.read(), database: snapshot.read(),
      table: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(systemIdentifier)
    snapshot.write(timeline)
    snapshot.write(database)
    snapshot.write(table)
  }
}

extension Leadership: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      epoch: snapshot.read(), instance: snapshot.read(), address: snapshot.read(),
      takenAt: snapshot.read(), nodeLostSeconds: snapshot.read(),
      inheritedSeconds: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(epoch)
    snapshot.write(instance)
    snapshot.write(address)
    snapshot.write(takenAt)
    snapshot.write(nodeLostSeconds)
    snapshot.write(inheritedSeconds)
  }
}

extension Mark: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(name: snapshot.read(), position: snapshot.read(), markedAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(name)
    snapshot.write(position)
    snapshot.write(markedAt)
  }
}

extension Credential: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(holder: snapshot.read(), use: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(holder)
    snapshot.write(use)
  }
}

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
