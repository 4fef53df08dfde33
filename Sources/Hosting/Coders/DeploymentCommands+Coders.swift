// Written by `swift run wharf-records` from the fields in DeploymentCommands.swift; not changed by hand.

extension CreateDeployment {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("model", model)
    json.field("replicas", replicas)
    json.optional("workload", workload)
    json.optional("exclusive", exclusive)
    json.closeObject()
  }
}

extension ScaleDeployment {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("replicas", replicas)
    json.closeObject()
  }
}

extension DeleteDeployment {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.closeObject()
  }
}

extension PlaceReplicas {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("placements", placements)
    json.closeObject()
  }
}

extension NoteWaiting {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("replicas", replicas)
    json.field("reason", reason)
    json.closeObject()
  }
}

extension RemoveReplicas {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("replicas", replicas)
    json.optional("leaving", leaving)
    json.closeObject()
  }
}

extension DismissAttempts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("attempts", attempts)
    json.optional("enforced", enforced)
    json.closeObject()
  }
}

extension StopAttempts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.closeObject()
  }
}
