// Written by `swift run wharf-records` from the fields in Person.swift; not changed by hand.

extension Person {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      name: snapshot.read(),
      email: snapshot.read(),
      role: snapshot.read(),
      invitedAt: snapshot.read(),
      status: snapshot.read(),
      invitation: snapshot.read(),
      tokens: snapshot.read(),
      inClear: snapshot.read(),
      forgotten: snapshot.read(),
      erased: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(email)
    snapshot.write(role)
    snapshot.write(invitedAt)
    snapshot.write(status)
    snapshot.write(invitation)
    snapshot.write(tokens)
    snapshot.write(inClear)
    snapshot.write(forgotten)
    snapshot.write(erased)
  }
}

extension PersonInvited {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("email", email)
    json.field("role", role)
    json.field("invitation", invitation)
    json.field("until", until)
    json.closeObject()
  }
}

extension PersonInvited {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Personal<Name>.self),
      let email = reader.optional("email", Personal<Email>.self),
      let role = reader.field("role", Role.self),
      let invitation = reader.field("invitation", Digest.self),
      let until = reader.field("until", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(name: name, email: email, role: role, invitation: invitation, until: until)
  }
}

extension PersonDisabled {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension PersonDisabled {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension AdmitFirstAdmin {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("token", token)
    json.field("prefix", prefix)
    json.closeObject()
  }
}

extension InvitePerson {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("email", email)
    json.field("role", role)
    json.field("invitation", invitation)
    json.closeObject()
  }
}

extension AcceptInvitation {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("prefix", prefix)
    json.optional("name", name)
    json.optional("validHours", validHours)
    json.closeObject()
  }
}

extension DisablePerson {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.closeObject()
  }
}
