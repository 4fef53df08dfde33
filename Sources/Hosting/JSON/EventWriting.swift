// Events as JSON text without a detour through Codable, byte for byte what that would write: the golden
// files say so. The log's leader writes each event once, on the way into a batch.

extension Terms: JSONWritable {
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

extension AgreementSigned: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.field("terms", terms)
    json.closeObject()
  }
}

extension AgreementAmended: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("terms", terms)
    json.closeObject()
  }
}

extension AgreementTerminated: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("end", end)
    json.closeObject()
  }
}

extension AgreementEnded: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension DeploymentCreated: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("model", model)
    json.field("version", version)
    json.field("workload", workload)
    json.field("replicas", replicas)
    json.field("exclusive", exclusive)
    json.closeObject()
  }
}

extension DeploymentScaled: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.closeObject()
  }
}

extension DeploymentDeleted: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("leaving", leaving)
    json.closeObject()
  }
}

extension ReplicasPlaced: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("placements", placements)
    json.closeObject()
  }
}

extension Placement: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replica", replica)
    json.field("node", node)
    json.field("devices", devices)
    json.field("reason", reason)
    json.closeObject()
  }
}

extension ReplicasWaiting: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("reason", reason)
    json.closeObject()
  }
}

extension ReplicasRemoved: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("reason", reason)
    json.optional("leaving", leaving)
    json.closeObject()
  }
}

extension AttemptsStopped: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("replicas", replicas)
    json.field("reason", reason)
    json.closeObject()
  }
}

extension GatewayRegistered: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.closeObject()
  }
}

extension GatewayRemoved: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension KeyIssued: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("name", name)
    json.field("secret", secret)
    json.field("prefix", prefix)
    json.optional("until", until)
    json.closeObject()
  }
}

extension KeyRotated: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("secret", secret)
    json.field("prefix", prefix)
    json.field("previousUntil", previousUntil)
    json.closeObject()
  }
}

extension KeyRevoked: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension KeyExpired: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension LeadershipTaken: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("instance", instance)
    json.field("address", address)
    json.optional("nodeLostSeconds", nodeLostSeconds)
    json.closeObject()
  }
}

extension CommandNoted: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("command", command)
    json.closeObject()
  }
}

extension MarkPlaced: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("position", position)
    json.closeObject()
  }
}

extension Needs: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("devices", devices)
    json.field("deviceMemory", deviceMemory)
    json.field("cpuMillis", cpuMillis)
    json.field("memory", memory)
    json.closeObject()
  }
}

extension ModelOnboarded: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("provider", provider)
    json.field("name", name)
    json.field("task", task)
    json.optional("contextLength", contextLength)
    json.closeObject()
  }
}

extension ModelPublished: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("audience", audience)
    json.field("stage", stage)
    json.closeObject()
  }
}

extension ModelUnaliased: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("alias", alias)
    json.closeObject()
  }
}

extension ModelAliased: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("alias", alias)
    json.field("version", version)
    json.closeObject()
  }
}

extension ModelDeprecated: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension ModelRetired: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension NodeFacts: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("address", address)
    json.field("cpuMillis", cpuMillis)
    json.field("memory", memory)
    json.field("devices", devices)
    json.closeObject()
  }
}

extension DeviceFacts: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("model", model)
    json.field("memory", memory)
    json.closeObject()
  }
}

extension JoinTokenIssued: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.field("until", until)
    json.optional("prefix", prefix)
    json.closeObject()
  }
}

extension JoinTokenEnded: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("cause", cause)
    json.closeObject()
  }
}

extension NodeJoined: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.field("facts", facts)
    json.closeObject()
  }
}

extension NodeCordoned: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension NodeUncordoned: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension NodeLost: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("silentSeconds", silentSeconds)
    json.closeObject()
  }
}

extension NodeReturned: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension NodeReported: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("bootID", bootID)
    json.field("incarnation", incarnation)
    json.optional("facts", facts)
    json.field("attempts", attempts)
    json.closeObject()
  }
}

extension NodeRemoved: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("poweredOff", poweredOff)
    json.closeObject()
  }
}

extension ProviderRegistered: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("title", title)
    json.closeObject()
  }
}

extension ProviderSuspended: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension ProviderReinstated: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

extension ObservedAttempt: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("phase", phase)
    json.optional("pid", pid)
    json.optional("endpoint", endpoint)
    json.optional("exitCode", exitCode)
    json.optional("exitSignal", exitSignal)
    json.optional("reason", reason)
    json.optional("ordered", ordered)
    json.optional("cause", cause)
    json.optional("device", device)
    json.optional("weights", weights)
    json.closeObject()
  }
}

extension AttemptChange: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("id", id)
    json.field("phase", phase)
    json.optional("pid", pid)
    json.optional("endpoint", endpoint)
    json.optional("exitCode", exitCode)
    json.optional("exitSignal", exitSignal)
    json.optional("reason", reason)
    json.optional("ordered", ordered)
    json.optional("cause", cause)
    json.optional("device", device)
    json.optional("weights", weights)
    json.closeObject()
  }
}

extension Quota: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("requestsPerMinute", requestsPerMinute)
    json.optional("tokensPerMinute", tokensPerMinute)
    json.closeObject()
  }
}

extension TeamRegistered: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("title", title)
    json.field("audience", audience)
    json.closeObject()
  }
}

extension AccessGranted: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.field("workload", workload)
    json.field("quota", quota)
    json.optional("until", until)
    json.closeObject()
  }
}

extension AccessRevoked: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.closeObject()
  }
}

extension GrantExpired: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
    json.closeObject()
  }
}

extension QuotaSet: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("quota", quota)
    json.closeObject()
  }
}

extension EngineDefined: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("launch", launch)
    json.field("tasks", tasks)
    json.closeObject()
  }
}

extension FormatLevelRaised: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("level", level)
    json.closeObject()
  }
}

extension DatabaseIdentity: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("systemIdentifier", systemIdentifier)
    json.field("timeline", timeline)
    json.field("database", database)
    json.field("table", table)
    json.closeObject()
  }
}

extension EraBegan: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("database", database)
    json.closeObject()
  }
}

extension ClusterSecretRecorded: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("fingerprint", fingerprint)
    json.closeObject()
  }
}

extension ModelVersionAdded: JSONWritable {
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

extension NodeAlarmed: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("alarm", alarm)
    json.optional("seen", seen)
    json.optional("cause", cause)
    json.closeObject()
  }
}

extension EraAccepted: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("era", era)
    json.closeObject()
  }
}
