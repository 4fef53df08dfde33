// Written by `swift run wharf-records` from the fields in Engine.swift; not changed by hand.

extension Engine {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    try self.init(
      id: snapshot.read(),
      name: snapshot.read(),
      launch: snapshot.read(),
      tasks: snapshot.read())
  }
  package func write(to snapshot: inout SnapshotWriter) {
    snapshot.write(id)
    snapshot.write(name)
    snapshot.write(launch)
    snapshot.write(tasks)
  }
}

extension EngineDefined {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("launch", launch)
    json.field("tasks", tasks)
    json.closeObject()
  }
}

extension EngineDefined {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let name = reader.field("name", Name.self),
      let launch = reader.field("launch", Launch.self),
      let tasks = reader.field("tasks", [ModelTask].self),
      reader.close()
    else { return nil }
    self.init(name: name, launch: launch, tasks: tasks)
  }
}

extension DefineEngine {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("launch", launch)
    json.field("tasks", tasks)
    json.closeObject()
  }
}
