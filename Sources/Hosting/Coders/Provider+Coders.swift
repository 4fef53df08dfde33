// Written by `swift run wharf-records` from the fields in Provider.swift; not changed by hand.

extension Provider {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      name: snapshot.read(),
      title: snapshot.read(),
      registeredAt: snapshot.read(),
      suspendedAt: snapshot.read(),
      agreement: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(title)
    snapshot.write(registeredAt)
    snapshot.write(suspendedAt)
    snapshot.write(agreement)
  }
}

extension ProviderRegistered {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("title", title)
    json.closeObject()
  }
}

extension ProviderRegistered {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Name.self),
      let title = reader.field("title", Text.self),
      reader.close()
    else { return nil }
    self.init(name: name, title: title)
  }
}

extension ProviderSuspended {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension ProviderSuspended {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension ProviderReinstated {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension ProviderReinstated {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension RegisterProvider {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("title", title)
    json.closeObject()
  }
}

extension SuspendProvider {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.closeObject()
  }
}

extension ReinstateProvider {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.closeObject()
  }
}
