// Written by `swift run wharf-records` from the fields in Token.swift; not changed by hand.

extension Token {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      secret: snapshot.read(),
      prefix: snapshot.read(),
      name: snapshot.read(),
      issuedAt: snapshot.read(),
      until: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(name)
    snapshot.write(issuedAt)
    snapshot.write(until)
  }
}

extension PersonTokenIssued {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("prefix", prefix)
    json.optional("name", name)
    json.optional("until", until)
    json.closeObject()
  }
}

extension PersonTokenIssued {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let token = reader.field("token", Digest.self),
      let prefix = reader.field("prefix", Text.self),
      let name = reader.optional("name", Personal<Name>.self),
      let until = reader.optional("until", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(token: token, prefix: prefix, name: name, until: until)
  }
}

extension PersonTokenEnded {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("cause", cause)
    json.closeObject()
  }
}

extension PersonTokenEnded {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let token = reader.field("token", Digest.self),
      let cause = reader.field("cause", EndCause.self),
      reader.close()
    else { return nil }
    self.init(token: token, cause: cause)
  }
}

extension IssueToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("token", token)
    json.field("prefix", prefix)
    json.optional("validHours", validHours)
    json.closeObject()
  }
}

extension RevokeToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.optional("person", person)
    json.closeObject()
  }
}

extension ExpireToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("person", person)
    json.field("token", token)
    json.closeObject()
  }
}
