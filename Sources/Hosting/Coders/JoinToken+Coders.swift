// Written by `swift run wharf-records` from the fields in JoinToken.swift; not changed by hand.

extension JoinToken {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      secret: snapshot.read(),
      prefix: snapshot.read(),
      issuedAt: snapshot.read(),
      until: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(secret)
    snapshot.write(prefix)
    snapshot.write(issuedAt)
    snapshot.write(until)
  }
}

extension JoinTokenIssued {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("until", until)
    json.optional("prefix", prefix)
    json.closeObject()
  }
}

extension JoinTokenIssued {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let token = reader.field("token", Digest.self),
      let until = reader.field("until", Timestamp.self),
      let prefix = reader.optional("prefix", Text.self),
      reader.close()
    else { return nil }
    self.init(token: token, until: until, prefix: prefix)
  }
}

extension JoinTokenEnded {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("cause", cause)
    json.closeObject()
  }
}

extension JoinTokenEnded {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let cause = reader.field("cause", EndCause.self),
      reader.close()
    else { return nil }
    self.init(cause: cause)
  }
}

extension IssueJoinToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("validHours", validHours)
    json.optional("prefix", prefix)
    json.closeObject()
  }
}

extension RevokeJoinToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("joinToken", joinToken)
    json.closeObject()
  }
}

extension ExpireJoinToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("joinToken", joinToken)
    json.closeObject()
  }
}
