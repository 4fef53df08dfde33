// Written by `swift run wharf-records` from the fields in Key.swift; not changed by hand.

extension Key {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      team: snapshot.read(),
      name: snapshot.read(),
      secret: snapshot.read(),
      prefix: snapshot.read(),
      issuedAt: snapshot.read(),
      until: snapshot.read(),
      previous: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(team)
    snapshot.write(name)
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(issuedAt)
    snapshot.write(until)
    snapshot.write(previous)
  }
}

extension Key.Previous {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      secret: snapshot.read(),
      prefix: snapshot.read(),
      until: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(until)
  }
}

extension KeyIssued {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("name", name)
    json.field("secret", secret)
    json.field("prefix", prefix)
    json.optional("until", until)
    json.closeObject()
  }
}

extension KeyIssued {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let team = reader.field("team", ID<Team>.self),
      let name = reader.field("name", Name.self),
      let secret = reader.field("secret", Digest.self),
      let prefix = reader.field("prefix", Text.self),
      let until = reader.optional("until", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(team: team, name: name, secret: secret, prefix: prefix, until: until)
  }
}

extension KeyRotated {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("secret", secret)
    json.field("prefix", prefix)
    json.field("previousUntil", previousUntil)
    json.closeObject()
  }
}

extension KeyRotated {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let secret = reader.field("secret", Digest.self),
      let prefix = reader.field("prefix", Text.self),
      let previousUntil = reader.field("previousUntil", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(secret: secret, prefix: prefix, previousUntil: previousUntil)
  }
}

extension KeyRevoked {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension KeyRevoked {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension KeyExpired {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension KeyExpired {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension IssueKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("name", name)
    json.field("secret", secret)
    json.field("prefix", prefix)
    json.optional("until", until)
    json.closeObject()
  }
}

extension RotateKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("name", name)
    json.field("secret", secret)
    json.field("prefix", prefix)
    json.field("graceSeconds", graceSeconds)
    json.optional("endPreviousNow", endPreviousNow)
    json.closeObject()
  }
}

extension RevokeKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("name", name)
    json.closeObject()
  }
}

extension ExpireKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("key", key)
    json.closeObject()
  }
}
