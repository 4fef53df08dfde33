// Events read from the text that their own encoding writes: see CanonicalReader. Each lists its fields
// in the order of its properties; what it does not take, the strict decoder judges.

extension Terms: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let scope = reader.field("scope", [Workload].self),
      let audiences = reader.field("audiences", [Audience].self),
      let from = reader.field("from", Timestamp.self),
      let until = reader.optional("until", Timestamp.self),
      let noticeDays = reader.field("noticeDays", Int.self), reader.close()
    else { return nil }
    self.init(scope: scope, audiences: audiences, from: from, until: until, noticeDays: noticeDays)
  }
}

extension AgreementSigned: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let provider = reader.field("provider", ID<Provider>.self),
      let terms = reader.field("terms", Terms.self), reader.close()
    else { return nil }
    self.init(provider: provider, terms: terms)
  }
}

extension AgreementAmended: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let terms = reader.field("terms", Terms.self), reader.close()
    else { return nil }
    self.init(terms: terms)
  }
}

extension AgreementTerminated: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let end = reader.field("end", Timestamp.self), reader.close()
    else { return nil }
    self.init(end: end)
  }
}

extension AgreementEnded: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension DeploymentCreated: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let name = reader.field("name", Name.self),
      let model = reader.field("model", ID<Model>.self),
      let version = reader.field("version", Name.self),
      let workload = reader.field("workload", Workload.self),
      let replicas = reader.field("replicas", Int.self),
      let exclusive = reader.field("exclusive", Bool.self), reader.close()
    else { return nil }
    self.init(
      name: name, model: model, version: version, workload: workload, replicas: replicas,
      exclusive: exclusive)
  }
}

extension DeploymentScaled: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let replicas = reader.field("replicas", Int.self), reader.close()
    else { return nil }
    self.init(replicas: replicas)
  }
}

extension DeploymentDeleted: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let leaving = reader.optional("leaving", Bool.self), reader.close()
    else { return nil }
    self.init(leaving: leaving)
  }
}

extension ReplicasPlaced: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let placements = reader.field("placements", [Placement].self),
      reader.close()
    else { return nil }
    self.init(placements: placements)
  }
}

extension Placement: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let replica = reader.field("replica", Int.self),
      let node = reader.field("node", ID<Node>.self),
      let devices = reader.field("devices", [String].self),
      let reason = reader.field("reason", String.self), reader.close()
    else { return nil }
    self.init(replica: replica, node: node, devices: devices, reason: reason)
  }
}

extension ReplicasWaiting: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let replicas = reader.field("replicas", [Int].self),
      let reason = reader.field("reason", WaitingReason.self), reader.close()
    else { return nil }
    self.init(replicas: replicas, reason: reason)
  }
}

extension ReplicasRemoved: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let replicas = reader.field("replicas", [Int].self),
      let reason = reader.field("reason", String.self),
      let leaving = reader.optional("leaving", Bool.self), reader.close()
    else { return nil }
    self.init(replicas: replicas, reason: reason, leaving: leaving)
  }
}

extension AttemptsStopped: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let replicas = reader.field("replicas", [Int].self),
      let reason = reader.field("reason", WaitingReason.self), reader.close()
    else { return nil }
    self.init(replicas: replicas, reason: reason)
  }
}

extension GatewayRegistered: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let name = reader.field("name", Name.self),
      let credential = reader.field("credential", Digest.self), reader.close()
    else { return nil }
    self.init(name: name, credential: credential)
  }
}

extension GatewayRemoved: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension KeyIssued: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let team = reader.field("team", ID<Team>.self),
      let name = reader.field("name", Name.self), let secret = reader.field("secret", Digest.self),
      let prefix = reader.field("prefix", Text.self),
      let until = reader.optional("until", Timestamp.self), reader.close()
    else { return nil }
    self.init(team: team, name: name, secret: secret, prefix: prefix, until: until)
  }
}

extension KeyRotated: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let secret = reader.field("secret", Digest.self),
      let prefix = reader.field("prefix", Text.self),
      let previousUntil = reader.field("previousUntil", Timestamp.self), reader.close()
    else { return nil }
    self.init(secret: secret, prefix: prefix, previousUntil: previousUntil)
  }
}

extension KeyRevoked: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension KeyExpired: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension LeadershipTaken: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let instance = reader.field("instance", String.self),
      let address = reader.field("address", String.self),
      let nodeLostSeconds = reader.optional("nodeLostSeconds", Int.self), reader.close()
    else { return nil }
    self.init(instance: instance, address: address, nodeLostSeconds: nodeLostSeconds)
  }
}

extension CommandNoted: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let command = reader.field("command", String.self), reader.close()
    else { return nil }
    self.init(command: command)
  }
}

extension MarkPlaced: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let name = reader.field("name", Name.self),
      let position = reader.field("position", Position.self), reader.close()
    else { return nil }
    self.init(name: name, position: position)
  }
}

extension Needs: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let devices = reader.field("devices", Int.self),
      let deviceMemory = reader.field("deviceMemory", Bytes.self),
      let cpuMillis = reader.field("cpuMillis", Int.self),
      let memory = reader.field("memory", Bytes.self), reader.close()
    else { return nil }
    self.init(devices: devices, deviceMemory: deviceMemory, cpuMillis: cpuMillis, memory: memory)
  }
}

extension ModelOnboarded: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let provider = reader.field("provider", ID<Provider>.self),
      let name = reader.field("name", Name.self), let task = reader.field("task", ModelTask.self),
      let contextLength = reader.optional("contextLength", Int.self), reader.close()
    else { return nil }
    self.init(provider: provider, name: name, task: task, contextLength: contextLength)
  }
}

extension ModelPublished: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let audience = reader.field("audience", Audience.self),
      let stage = reader.field("stage", Stage.self), reader.close()
    else { return nil }
    self.init(audience: audience, stage: stage)
  }
}

extension ModelAliased: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let alias = reader.field("alias", Name.self),
      let version = reader.field("version", Name.self), reader.close()
    else { return nil }
    self.init(alias: alias, version: version)
  }
}

extension ModelUnaliased: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let alias = reader.field("alias", Name.self), reader.close() else {
      return nil
    }
    self.init(alias: alias)
  }
}

extension ModelDeprecated: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension ModelRetired: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension NodeFacts: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let address = reader.field("address", String.self),
      let cpuMillis = reader.field("cpuMillis", Int.self),
      let memory = reader.field("memory", Bytes.self),
      let devices = reader.field("devices", [DeviceFacts].self), reader.close()
    else { return nil }
    self.init(address: address, cpuMillis: cpuMillis, memory: memory, devices: devices)
  }
}

extension DeviceFacts: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let id = reader.field("id", String.self),
      let model = reader.field("model", String.self),
      let memory = reader.field("memory", Bytes.self), reader.close()
    else { return nil }
    self.init(id: id, model: model, memory: memory)
  }
}

extension JoinTokenIssued: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let token = reader.field("token", Digest.self),
      let until = reader.field("until", Timestamp.self),
      let prefix = reader.optional("prefix", Text.self), reader.close()
    else { return nil }
    self.init(token: token, until: until, prefix: prefix)
  }
}

extension JoinTokenEnded: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let cause = reader.field("cause", EndCause.self), reader.close()
    else { return nil }
    self.init(cause: cause)
  }
}

extension NodeJoined: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let name = reader.field("name", Name.self),
      let credential = reader.field("credential", Digest.self),
      let facts = reader.field("facts", NodeFacts.self), reader.close()
    else { return nil }
    self.init(name: name, credential: credential, facts: facts)
  }
}

extension NodeCordoned: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension NodeUncordoned: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension NodeLost: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let silentSeconds = reader.field("silentSeconds", Int.self), reader.close()
    else { return nil }
    self.init(silentSeconds: silentSeconds)
  }
}

extension NodeReturned: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension NodeReported: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let bootID = reader.field("bootID", String.self),
      let incarnation = reader.field("incarnation", String.self),
      let facts = reader.optional("facts", NodeFacts.self),
      let attempts = reader.field("attempts", [AttemptChange].self), reader.close()
    else { return nil }
    self.init(bootID: bootID, incarnation: incarnation, facts: facts, attempts: attempts)
  }
}

extension NodeRemoved: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let poweredOff = reader.field("poweredOff", Bool.self), reader.close()
    else { return nil }
    self.init(poweredOff: poweredOff)
  }
}

extension PersonInvited: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let name = reader.field("name", Personal<Name>.self),
      let email = reader.optional("email", Personal<Email>.self),
      let role = reader.field("role", Role.self),
      let invitation = reader.field("invitation", Digest.self),
      let until = reader.field("until", Timestamp.self), reader.close()
    else { return nil }
    self.init(name: name, email: email, role: role, invitation: invitation, until: until)
  }
}

extension PersonTokenIssued: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let token = reader.field("token", Digest.self),
      let prefix = reader.field("prefix", Text.self),
      let name = reader.optional("name", Personal<Name>.self),
      let until = reader.optional("until", Timestamp.self), reader.close()
    else { return nil }
    self.init(token: token, prefix: prefix, name: name, until: until)
  }
}

extension PersonTokenEnded: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let token = reader.field("token", Digest.self),
      let cause = reader.field("cause", EndCause.self), reader.close()
    else { return nil }
    self.init(token: token, cause: cause)
  }
}

extension PersonDisabled: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension PersonForgotten: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension PersonErased: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let snapshots = reader.field("snapshots", Int.self), reader.close()
    else { return nil }
    self.init(snapshots: snapshots)
  }
}

extension ProviderRegistered: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let name = reader.field("name", Name.self),
      let title = reader.field("title", Text.self), reader.close()
    else { return nil }
    self.init(name: name, title: title)
  }
}

extension ProviderSuspended: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension ProviderReinstated: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), reader.close() else { return nil }
    self.init()
  }
}

extension ObservedAttempt: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let id = reader.field("id", AttemptID.self),
      let phase = reader.field("phase", AttemptPhase.self),
      let pid = reader.optional("pid", Int.self),
      let endpoint = reader.optional("endpoint", String.self),
      let exitCode = reader.optional("exitCode", Int.self),
      let exitSignal = reader.optional("exitSignal", Int.self),
      let reason = reader.optional("reason", String.self),
      let ordered = reader.optional("ordered", StopOrder.self),
      let cause = reader.optional("cause", AttemptCause.self),
      let device = reader.optional("device", String.self),
      let weights = reader.optional("weights", WeightsFound.self), reader.close()
    else { return nil }
    self.init(
      id: id, phase: phase, pid: pid, endpoint: endpoint, exitCode: exitCode,
      exitSignal: exitSignal, reason: reason, ordered: ordered, cause: cause, device: device,
      weights: weights)
  }
}

extension WeightsFound: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let wanted = reader.field("wanted", Digest.self),
      let found = reader.field("found", Digest.self), reader.close()
    else { return nil }
    self.init(wanted: wanted, found: found)
  }
}

extension AttemptChange: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let id = reader.field("id", AttemptID.self),
      let phase = reader.field("phase", AttemptPhase.self),
      let pid = reader.optional("pid", Int.self),
      let endpoint = reader.optional("endpoint", String.self),
      let exitCode = reader.optional("exitCode", Int.self),
      let exitSignal = reader.optional("exitSignal", Int.self),
      let reason = reader.optional("reason", String.self),
      let ordered = reader.optional("ordered", StopOrder.self),
      let cause = reader.optional("cause", AttemptCause.self),
      let device = reader.optional("device", String.self),
      let weights = reader.optional("weights", WeightsFound.self), reader.close()
    else { return nil }
    self.init(
      ObservedAttempt(
        id: id, phase: phase, pid: pid, endpoint: endpoint, exitCode: exitCode,
        exitSignal: exitSignal, reason: reason, ordered: ordered, cause: cause, device: device,
        weights: weights))
  }
}

extension Quota: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let requestsPerMinute = reader.optional("requestsPerMinute", Int.self),
      let tokensPerMinute = reader.optional("tokensPerMinute", Int.self), reader.close()
    else { return nil }
    self.init(requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute)
  }
}

extension TeamRegistered: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let name = reader.field("name", Name.self),
      let title = reader.field("title", Text.self),
      let audience = reader.field("audience", Audience.self), reader.close()
    else { return nil }
    self.init(name: name, title: title, audience: audience)
  }
}

extension AccessGranted: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let model = reader.field("model", ID<Model>.self),
      let workload = reader.field("workload", Workload.self),
      let quota = reader.field("quota", Quota.self),
      let until = reader.optional("until", Timestamp.self), reader.close()
    else { return nil }
    self.init(model: model, workload: workload, quota: quota, until: until)
  }
}

extension AccessRevoked: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let model = reader.field("model", ID<Model>.self), reader.close()
    else { return nil }
    self.init(model: model)
  }
}

extension GrantExpired: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let model = reader.field("model", ID<Model>.self), reader.close()
    else { return nil }
    self.init(model: model)
  }
}

extension QuotaSet: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(), let quota = reader.field("quota", Quota.self), reader.close()
    else { return nil }
    self.init(quota: quota)
  }
}
