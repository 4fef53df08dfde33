// Written by `swift run wharf-records` from the fields in ModelCommands.swift; not changed by hand.

extension OnboardModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("task", task)
    json.optional("contextLength", contextLength)
    json.closeObject()
  }
}

extension AddModelVersion {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("engine", engine)
    json.field("needs", needs)
    json.optional("arguments", arguments)
    json.optional("modelPath", modelPath)
    json.optional("weights", weights)
    json.closeObject()
  }
}

extension PublishModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("audience", audience)
    json.field("stage", stage)
    json.closeObject()
  }
}

extension AliasModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("alias", alias)
    json.closeObject()
  }
}

extension UnaliasModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.closeObject()
  }
}

extension DeprecateModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.closeObject()
  }
}

extension RetireModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.closeObject()
  }
}
