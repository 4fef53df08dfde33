// Written by `swift run wharf-records` from the fields in HostingState.swift; not changed by hand.

extension HostingState {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      position: snapshot.read(),
      recordedAt: snapshot.read(),
      streamHeads: snapshot.read(),
      log: snapshot.read(),
      persons: snapshot.read(),
      credentials: snapshot.read(),
      removals: snapshot.read(),
      providers: snapshot.read(),
      agreements: snapshot.read(),
      engines: snapshot.read(),
      models: snapshot.read(),
      teams: snapshot.read(),
      keys: snapshot.read(),
      keyBySecret: snapshot.read(),
      keysOf: snapshot.read(),
      nodes: snapshot.read(),
      deployments: snapshot.read(),
      attempts: snapshot.read(),
      gateways: snapshot.read(),
      gatewayProcesses: snapshot.read(),
      gatewayGrace: snapshot.read(),
      unsettled: snapshot.read(),
      deploymentsIn: snapshot.read(),
      lostNodes: snapshot.read(),
      generations: snapshot.read(),
      nodeChanges: snapshot.read(),
      joinTokens: snapshot.read(),
      endings: snapshot.read(),
      unerased: snapshot.read(),
      leaving: snapshot.read(),
      departing: snapshot.read(),
      lostSecretAttempts: snapshot.read())
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
    snapshot.write(keysOf)
    snapshot.write(nodes)
    snapshot.write(deployments)
    snapshot.write(attempts)
    snapshot.write(gateways)
    snapshot.write(gatewayProcesses)
    snapshot.write(gatewayGrace)
    snapshot.write(unsettled)
    snapshot.write(deploymentsIn)
    snapshot.write(lostNodes)
    snapshot.write(generations)
    snapshot.write(nodeChanges)
    snapshot.write(joinTokens)
    snapshot.write(endings)
    snapshot.write(unerased)
    snapshot.write(leaving)
    snapshot.write(departing)
    snapshot.write(lostSecretAttempts)
  }
}
