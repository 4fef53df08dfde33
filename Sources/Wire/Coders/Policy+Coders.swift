// Written by `swift run wharf-records` from the fields in Policy.swift; not changed by hand.

import Hosting

extension PolicyRoute {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("attempt", attempt)
    json.field("version", version)
    json.field("endpoint", endpoint)
    json.field("engineKey", engineKey)
    json.field("servedModelName", servedModelName)
    json.optional("waits", waits)
    json.closeObject()
  }
}

extension PolicyRoute {
  package init?(canonical reader: inout CanonicalReader) {
    guard reader.open(),
      let attempt = reader.field("attempt", AttemptID.self),
      let version = reader.field("version", String.self),
      let endpoint = reader.field("endpoint", String.self),
      let engineKey = reader.field("engineKey", EngineKey.self),
      let servedModelName = reader.field("servedModelName", String.self),
      let waits = reader.optional("waits", Launch.Waits.self),
      reader.close()
    else { return nil }
    self.init(
      attempt: attempt,
      version: version,
      endpoint: endpoint,
      engineKey: engineKey,
      servedModelName: servedModelName,
      waits: waits)
  }
}
