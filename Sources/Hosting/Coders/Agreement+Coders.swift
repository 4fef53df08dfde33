// Written by `swift run wharf-records` from the fields in Agreement.swift; not changed by hand.

extension Agreement {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      provider: snapshot.read(),
      signedAt: snapshot.read(),
      terms: snapshot.read(),
      terminatedAt: snapshot.read(),
      terminationDate: snapshot.read(),
      ended: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(provider)
    snapshot.write(signedAt)
    snapshot.write(terms)
    snapshot.write(terminatedAt)
    snapshot.write(terminationDate)
    snapshot.write(ended)
  }
}

extension Terms {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("scope", scope)
    json.field("audiences", audiences)
    json.field("from", from)
    json.optional("until", until)
    json.field("noticeDays", noticeDays)
    json.closeObject()
  }
}

extension Terms {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let scope = reader.field("scope", [Workload].self),
      let audiences = reader.field("audiences", [Audience].self),
      let from = reader.field("from", Timestamp.self),
      let until = reader.optional("until", Timestamp.self),
      let noticeDays = reader.field("noticeDays", Int.self),
      reader.close()
    else { return nil }
    self.init(scope: scope, audiences: audiences, from: from, until: until, noticeDays: noticeDays)
  }
}

extension Terms {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      scope: snapshot.read(),
      audiences: snapshot.read(),
      from: snapshot.read(),
      until: snapshot.read(),
      noticeDays: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(scope)
    snapshot.write(audiences)
    snapshot.write(from)
    snapshot.write(until)
    snapshot.write(noticeDays)
  }
}

extension AgreementSigned {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.field("terms", terms)
    json.closeObject()
  }
}

extension AgreementSigned {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let provider = reader.field("provider", ID<Provider>.self),
      let terms = reader.field("terms", Terms.self),
      reader.close()
    else { return nil }
    self.init(provider: provider, terms: terms)
  }
}

extension AgreementAmended {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("terms", terms)
    json.closeObject()
  }
}

extension AgreementAmended {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let terms = reader.field("terms", Terms.self),
      reader.close()
    else { return nil }
    self.init(terms: terms)
  }
}

extension AgreementTerminated {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("end", end)
    json.closeObject()
  }
}

extension AgreementTerminated {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let end = reader.field("end", Timestamp.self),
      reader.close()
    else { return nil }
    self.init(end: end)
  }
}

extension AgreementEnded {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension AgreementEnded {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension SignAgreement {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.field("terms", terms)
    json.closeObject()
  }
}

extension AmendAgreement {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.optional("scope", scope)
    json.optional("audiences", audiences)
    json.optional("until", until)
    json.optional("noticeDays", noticeDays)
    json.optional("endless", endless)
    json.closeObject()
  }
}

extension TerminateAgreement {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.optional("end", end)
    json.closeObject()
  }
}

extension EndAgreement {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("agreement", agreement)
    json.closeObject()
  }
}
