// Commands as JSON text without a detour through Codable, byte for byte what that would write: a command's
// seal is made of it, and a retry must find the same seal for ever. A test compares field by field.

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

extension StopAttempts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.closeObject()
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

extension ForgetPerson {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("person", person)
    json.closeObject()
  }
}

extension NoteErasure {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("persons", persons)
    json.field("snapshots", snapshots)
    json.closeObject()
  }
}

extension RaiseFormatLevel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("level", level)
    json.field("readers", readers)
    json.closeObject()
  }
}

extension RegisterGateway {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.closeObject()
  }
}

extension RemoveGateway {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("gateway", gateway)
    json.optional("poweredOff", poweredOff)
    json.closeObject()
  }
}

extension IssueKey {
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

extension RotateKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("name", name)
    json.field("secret", secret)
    json.field("prefix", prefix)
    json.field("graceSeconds", graceSeconds)
    json.optional("endPreviousNow", endPreviousNow)
    json.closeObject()
  }
}

extension RevokeKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("name", name)
    json.closeObject()
  }
}

extension ExpireKey {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("key", key)
    json.closeObject()
  }
}

extension PlaceMark {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("position", position)
    json.closeObject()
  }
}

extension TakeLeadership {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("instance", instance)
    json.field("address", address)
    json.field("database", database)
    json.field("formatLevel", formatLevel)
    json.optional("secretFingerprint", secretFingerprint)
    json.optional("nodeLostSeconds", nodeLostSeconds)
    json.closeObject()
  }
}

extension BeginEra {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("database", database)
    json.optional("secretFingerprint", secretFingerprint)
    json.closeObject()
  }
}

extension RecordClusterSecret {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("fingerprint", fingerprint)
    json.closeObject()
  }
}

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

extension UnaliasModel {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("model", model)
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

extension JoinNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("credential", credential)
    json.field("facts", facts)
    json.closeObject()
  }
}

extension CordonNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
  }
}

extension UncordonNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
  }
}

extension DeclareNodeLost {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.field("silentSeconds", silentSeconds)
    json.closeObject()
  }
}

extension DeclareNodeReturned {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
  }
}

extension ReportNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("bootID", bootID)
    json.field("incarnation", incarnation)
    json.field("generation", generation)
    json.field("facts", facts)
    json.field("attempts", attempts)
    json.optional("strangers", strangers)
    json.optional("unknownProcesses", unknownProcesses)
    json.optional("troubles", troubles)
    json.closeObject()
  }
}

extension RemoveNode {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.field("poweredOff", poweredOff)
    json.closeObject()
  }
}

extension RaiseNodeAlarm {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("cause", cause)
    json.optional("seen", seen)
    json.closeObject()
  }
}

extension RestartReplica {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("number", number)
    json.closeObject()
  }
}

extension RestartAttempts {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("deployment", deployment)
    json.field("attempts", attempts)
    json.field("cause", cause)
    json.optional("requests", requests)
    json.closeObject()
  }
}

extension AcceptEra {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("node", node)
    json.closeObject()
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

extension IssueToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.field("token", token)
    json.field("prefix", prefix)
    json.optional("validHours", validHours)
    json.closeObject()
  }
}

extension RevokeToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("token", token)
    json.optional("person", person)
    json.closeObject()
  }
}

extension ExpireToken {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("person", person)
    json.field("token", token)
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

extension RegisterTeam {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("name", name)
    json.optional("title", title)
    json.field("audience", audience)
    json.closeObject()
  }
}

extension GrantAccess {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.optional("workload", workload)
    json.optional("quota", quota)
    json.optional("until", until)
    json.closeObject()
  }
}

extension RevokeAccess {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.closeObject()
  }
}

extension ExpireGrant {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("model", model)
    json.closeObject()
  }
}

extension SetQuota {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("team", team)
    json.field("quota", quota)
    json.closeObject()
  }
}

extension FormatReader: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("instance", instance)
    json.field("formatLevel", formatLevel)
    json.closeObject()
  }
}
