// What each command is called by whom it is told: as a person types it, beside the name that it has in the
// API and in documents. What only machines send has no such words, and is told by who sends it.

package enum CommandWords {
  /// The verbs that send commands of people, by type. A test holds it against the whole command line.
  package static let verbs: [String: String] = [
    "agreement.amend": "wharf agreement amend",
    "agreement.sign": "wharf agreement sign",
    "agreement.terminate": "wharf agreement terminate",
    "deployment.create": "wharf deployment create",
    "deployment.delete": "wharf deployment delete",
    "deployment.scale": "wharf deployment scale",
    "engine.define": "wharf engine define",
    "gateway.register": "wharf gateway register",
    "gateway.remove": "wharf gateway remove",
    "gateway.setGrace": "wharf gateway set-grace",
    "gateway.vouchOff": "wharf gateway powered-off",
    "key.issue": "wharf key issue",
    "key.revoke": "wharf key revoke",
    "key.rotate": "wharf key rotate",
    "mark.place": "wharf mark",
    "model.addVersion": "wharf model add-version",
    "model.alias": "wharf model alias",
    "model.deprecate": "wharf model deprecate",
    "model.onboard": "wharf model onboard",
    "model.publish": "wharf model publish",
    "model.retire": "wharf model retire",
    "model.unalias": "wharf model unalias",
    "node.acceptEra": "wharf node accept-era",
    "node.cordon": "wharf node cordon",
    "node.issueJoinToken": "wharf node join-token",
    "node.remove": "wharf node remove",
    "node.revokeJoinToken": "wharf node revoke-join-token",
    "node.uncordon": "wharf node uncordon",
    "person.accept": "wharf login",
    "person.disable": "wharf person disable",
    "person.forget": "wharf person forget",
    "person.invite": "wharf person invite",
    "provider.register": "wharf provider register",
    "provider.reinstate": "wharf provider reinstate",
    "provider.suspend": "wharf provider suspend",
    "replica.restart": "wharf replica restart",
    "team.grant": "wharf team grant",
    "team.quota": "wharf team quota",
    "team.register": "wharf team register",
    "team.revoke": "wharf team revoke",
    "token.issue": "wharf token issue",
    "token.revoke": "wharf token revoke",
  ]

  /// `'wharf gateway powered-off' (gateway.vouchOff)`, or `'node.report', which agents send,`: how a
  /// refusal begins.
  package static func told(_ type: any Command.Type) -> String {
    if let verb = verbs[type.type] { return "'\(verb)' (\(type.type))" }
    return "'\(type.type)', which \(senders(of: type)) send\(type.allowed == [.system] ? "s" : ""),"
  }

  private static func senders(of type: any Command.Type) -> String {
    if type.allowed.contains(.agent) { return "agents" }
    if type.allowed.contains(.gateway) { return "gateways" }
    if type.allowed.contains(.joining) { return "agents that join" }
    return "wharfd itself"
  }
}
