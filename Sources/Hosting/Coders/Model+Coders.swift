// Written by `swift run wharf-records` from the fields in Model.swift; not changed by hand.

extension Model {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      provider: snapshot.read(),
      label: snapshot.read(),
      task: snapshot.read(),
      contextLength: snapshot.read(),
      onboardedAt: snapshot.read(),
      published: snapshot.read(),
      versions: snapshot.read(),
      aliases: snapshot.read(),
      deprecatedAt: snapshot.read(),
      retiredAt: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(provider)
    snapshot.write(label)
    snapshot.write(task)
    snapshot.write(contextLength)
    snapshot.write(onboardedAt)
    snapshot.write(published)
    snapshot.write(versions)
    snapshot.write(aliases)
    snapshot.write(deprecatedAt)
    snapshot.write(retiredAt)
  }
}

extension ModelVersion {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      label: snapshot.read(),
      addedAt: snapshot.read(),
      launch: snapshot.read(),
      needs: snapshot.read(),
      modelPath: snapshot.read(),
      weights: snapshot.read(),
      arguments: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(label)
    snapshot.write(addedAt)
    snapshot.write(launch)
    snapshot.write(needs)
    snapshot.write(modelPath)
    snapshot.write(weights)
    snapshot.write(arguments)
  }
}

extension Needs {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("devices", devices)
    json.field("deviceMemory", deviceMemory)
    json.field("cpuMillis", cpuMillis)
    json.field("memory", memory)
    json.closeObject()
  }
}

extension Needs {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let devices = reader.field("devices", Int.self),
      let deviceMemory = reader.field("deviceMemory", Bytes.self),
      let cpuMillis = reader.field("cpuMillis", Int.self),
      let memory = reader.field("memory", Bytes.self),
      reader.close()
    else { return nil }
    self.init(devices: devices, deviceMemory: deviceMemory, cpuMillis: cpuMillis, memory: memory)
  }
}

extension Needs {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      devices: snapshot.read(),
      deviceMemory: snapshot.read(),
      cpuMillis: snapshot.read(),
      memory: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(devices)
    snapshot.write(deviceMemory)
    snapshot.write(cpuMillis)
    snapshot.write(memory)
  }
}

extension ModelOnboarded {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.field("name", name)
    json.field("task", task)
    json.optional("contextLength", contextLength)
    json.closeObject()
  }
}

extension ModelOnboarded {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let provider = reader.field("provider", ID<Provider>.self),
      let name = reader.field("name", Name.self),
      let task = reader.field("task", ModelTask.self),
      let contextLength = reader.optional("contextLength", Int.self),
      reader.close()
    else { return nil }
    self.init(provider: provider, name: name, task: task, contextLength: contextLength)
  }
}

extension ModelVersionAdded {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("version", version)
    json.field("launch", launch)
    json.field("needs", needs)
    json.optional("modelPath", modelPath)
    json.optional("weights", weights)
    json.optional("arguments", arguments)
    json.closeObject()
  }
}

extension ModelVersionAdded {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let version = reader.field("version", Name.self),
      let launch = reader.field("launch", Launch.self),
      let needs = reader.field("needs", Needs.self),
      let modelPath = reader.optional("modelPath", String.self),
      let weights = reader.optional("weights", Digest.self),
      let arguments = reader.optional("arguments", [String].self),
      reader.close()
    else { return nil }
    self.init(
      version: version,
      launch: launch,
      needs: needs,
      modelPath: modelPath,
      weights: weights,
      arguments: arguments)
  }
}

extension ModelPublished {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("audience", audience)
    json.field("stage", stage)
    json.closeObject()
  }
}

extension ModelPublished {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let audience = reader.field("audience", Audience.self),
      let stage = reader.field("stage", Stage.self),
      reader.close()
    else { return nil }
    self.init(audience: audience, stage: stage)
  }
}

extension ModelAliased {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("alias", alias)
    json.field("version", version)
    json.closeObject()
  }
}

extension ModelAliased {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let alias = reader.field("alias", Name.self),
      let version = reader.field("version", Name.self),
      reader.close()
    else { return nil }
    self.init(alias: alias, version: version)
  }
}

extension ModelUnaliased {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("alias", alias)
    json.closeObject()
  }
}

extension ModelUnaliased {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let alias = reader.field("alias", Name.self),
      reader.close()
    else { return nil }
    self.init(alias: alias)
  }
}

extension ModelDeprecated {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension ModelDeprecated {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}

extension ModelRetired {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension ModelRetired {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      reader.close()
    else { return nil }
    self.init()
  }
}
