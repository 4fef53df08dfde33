// Written by `swift run wharf-records` from the fields in Team.swift; not changed by hand.

extension Team {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      name: snapshot.read(),
      title: snapshot.read(),
      audience: snapshot.read(),
      registeredAt: snapshot.read(),
      quota: snapshot.read(),
      heldGrants: snapshot.read(),
      heldEndedGrants: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(title)
    snapshot.write(audience)
    snapshot.write(registeredAt)
    snapshot.write(quota)
    snapshot.write(heldGrants)
    snapshot.write(heldEndedGrants)
  }
}

extension Quota {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("requestsPerMinute", requestsPerMinute)
    json.optional("tokensPerMinute", tokensPerMinute)
    json.closeObject()
  }
}

extension Quota {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let requestsPerMinute = reader.optional("requestsPerMinute", Int.self),
      let tokensPerMinute = reader.optional("tokensPerMinute", Int.self),
      reader.close()
    else { return nil }
    self.init(requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute)
  }
}

extension Quota {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      requestsPerMinute: snapshot.read(),
      tokensPerMinute: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(requestsPerMinute)
    snapshot.write(tokensPerMinute)
  }
}

extension Grant {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      model: snapshot.read(),
      workload: snapshot.read(),
      quota: snapshot.read(),
      until: snapshot.read(),
      grantedAt: snapshot.read(),
      position: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(model)
    snapshot.write(workload)
    snapshot.write(quota)
    snapshot.write(until)
    snapshot.write(grantedAt)
    snapshot.write(position)
  }
}

extension EndedGrant {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      cause: snapshot.read(),
      at: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(cause)
    snapshot.write(at)
  }
}

extension TeamRegistered {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("title", title)
    json.field("audience", audience)
    json.closeObject()
  }
}

extension TeamRegistered {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Name.self),
      let title = reader.field("title", Text.self),
      let audience = reader.field("audience", Audience.self),
      reader.close()
    else { return nil }
    self.init(name: name, title: title, audience: audience)
  }
}

extension AccessGranted {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("workload", workload)
    json.field("quota", quota)
    json.optional("until", until)
    json.closeObject()
  }
}

extension AccessGranted {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let model = reader.field("model", ID<Model>.self),
      let workload = reader.field("workload", Workload.self),
      let quota = reader.field("quota", Quota.self),
      let until = reader.optional("until", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(model: model, workload: workload, quota: quota, until: until)
  }
}

extension AccessRevoked {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.closeObject()
  }
}

extension AccessRevoked {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let model = reader.field("model", ID<Model>.self),
      reader.close()
    else { return nil }
    self.init(model: model)
  }
}

extension GrantExpired {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.closeObject()
  }
}

extension GrantExpired {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let model = reader.field("model", ID<Model>.self),
      reader.close()
    else { return nil }
    self.init(model: model)
  }
}

extension QuotaSet {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("quota", quota)
    json.closeObject()
  }
}

extension QuotaSet {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let quota = reader.field("quota", Quota.self),
      reader.close()
    else { return nil }
    self.init(quota: quota)
  }
}

extension RegisterTeam {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("title", title)
    json.field("audience", audience)
    json.closeObject()
  }
}

extension GrantAccess {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.optional("workload", workload)
    json.optional("quota", quota)
    json.optional("until", until)
    json.closeObject()
  }
}

extension RevokeAccess {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.closeObject()
  }
}

extension ExpireGrant {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.closeObject()
  }
}

extension SetQuota {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("quota", quota)
    json.closeObject()
  }
}
