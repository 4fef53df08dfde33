// Who may send what, by the state that a command is appended to: the whole table, and what happens to
// those who lost a right while their command waited.

import Foundation
import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct AuthorityTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden/roles.md")

  /// One of every role, by the secret that they hold.
  private struct Everyone {
    var world = World()
    var secrets: [Role: Digest] = [:]

    init() throws {
      let first = world.newSecret()
      try world.perform(
        AdmitFirstAdmin(name: "ann", token: first, prefix: "wt_ann"), by: .wharfd)
      secrets[.admin] = first
      for (name, role) in [("bob", .operator), ("vic", .viewer)] as [(Name, Role)] {
        try invite(name, role)
        guard let invited = secrets[.invited], let holder = principal(.invited) else { return }
        let token = world.newSecret()
        #expect(holder.credential == invited)
        try world.perform(AcceptInvitation(token: token, prefix: "wt_x"), by: holder)
        secrets[role] = token
      }
      try invite("eve", .viewer)
      try joinToken()
      let credential = world.newSecret()
      try world.perform(
        JoinNode(name: "n1", credential: credential, facts: GoldenTests.facts),
        by: try #require(principal(.joining)))
      secrets[.agent] = credential
      try joinToken()
      let gateway = world.newSecret()
      try world.perform(
        RegisterGateway(name: "g1", credential: gateway), by: try #require(principal(.operator)))
      secrets[.gateway] = gateway
    }

    private mutating func invite(_ name: Name, _ role: Role) throws {
      let invitation = world.newSecret()
      try world.perform(
        InvitePerson(name: name, role: role, invitation: invitation),
        by: try #require(principal(.admin)))
      secrets[.invited] = invitation
    }

    private mutating func joinToken() throws {
      let token = world.newSecret()
      try world.perform(
        IssueJoinToken(token: token, validHours: 1), by: try #require(principal(.operator)))
      secrets[.joining] = token
    }

    func principal(_ role: Role) -> Principal? {
      if role == .system { return .wharfd }
      return secrets[role].flatMap { world.state.principal(presenting: $0, now: world.now) }
    }
  }

  @Test func `a refusal names what a person types, beside the name in the API`() throws {
    let viewer = try #require(Everyone().principal(.viewer))
    let world = try Everyone().world
    for (command, words) in [
      (
        VouchGatewayOff(gateway: "g1") as any Command,
        "'wharf gateway powered-off' (gateway.vouchOff) is not for the role viewer"
      ),
      (
        NoteSilentGateways(processes: []),
        "'gateway.noteSilent', which wharfd itself sends, is not for the role viewer"
      ),
      (
        StartGatewayProcess(incarnation: "a", address: "h:1"),
        "'gateway.start', which gateways send, is not for the role viewer"
      ),
    ] {
      let refusal = #expect(throws: Refusal.self) {
        try world.state.decide(command, by: viewer, now: world.now)
      }
      #expect(refusal?.message == words)
    }
  }

  @Test func `every command that a person may send has a verb, and no other has`() {
    let people: Set<Role> = [.admin, .operator, .viewer, .invited]
    var theirs: Set<String> = []
    for type in CommandTypes.all where !type.allowed.isDisjoint(with: people) {
      theirs.insert(type.type)
    }
    #expect(Set(CommandWords.verbs.keys) == theirs)
  }

  @Test func `the table of roles against commands is what the domain says, whole`() throws {
    let everyone = try Everyone()
    let roles: [Role] = [
      .admin, .operator, .viewer, .agent, .gateway, .invited, .joining, .system,
    ]
    #expect(Set(roles) == Set(Role.allCases))
    var lines = [
      "| command | " + roles.map(\.rawValue).joined(separator: " | ") + " |",
      "|---|" + String(repeating: ":-:|", count: roles.count),
    ]
    for type in CommandTypes.all.sorted(by: { $0.type < $1.type }) {
      let cells = try roles.map { role -> String in
        let principal = try #require(everyone.principal(role), "nobody is \(role)")
        #expect(principal.role == role)
        do {
          _ = try everyone.world.state.authorise(principal, type, now: everyone.world.now)
          return "yes"
        } catch let refusal as Refusal {
          #expect(refusal.code == "notAllowed")
          return ""
        }
      }
      lines.append("| `\(type.type)` | " + cells.joined(separator: " | ") + " |")
    }
    let table = lines.joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["WHARF_WRITE_GOLDEN"] != nil {
      try Data(table.utf8).write(to: Self.file)
    }
    #expect(
      try String(contentsOf: Self.file, encoding: .utf8) == table,
      "if it is meant, write Golden/roles.md anew with WHARF_WRITE_GOLDEN=1")
  }

  private static let register = RegisterProvider(name: "xai")

  @Test func `a command of someone who was disabled while it waited is refused`() throws {
    var everyone = try Everyone()
    let bob = try #require(everyone.principal(.operator))
    Given(everyone.world).when(Self.register, by: bob).then(
      ProviderRegistered(name: "xai", title: "xai"))
    try everyone.world.perform(DisablePerson(name: "bob"), by: .testAdmin)
    Given(everyone.world).when(Self.register, by: bob)
      .thenRefused("credentialEnded", saying: "person was disabled")
  }

  @Test func `a role is that of the head, up and down`() throws {
    var everyone = try Everyone()
    let (bob, vic) = (
      try #require(everyone.principal(.operator)), try #require(everyone.principal(.viewer))
    )
    let change: [(Name, Role)] = [("bob", .viewer), ("vic", .operator)]
    for (name, role) in change {
      try everyone.world.perform(
        InvitePerson(name: name, role: role, invitation: everyone.world.newSecret()),
        by: .testAdmin)
    }
    Given(everyone.world).when(Self.register, by: bob).thenRefused("notAllowed", saying: "viewer")
    Given(everyone.world).when(Self.register, by: vic)
      .then(ProviderRegistered(name: "xai", title: "xai"))
  }

  @Test func `one token that was revoked, or ran out, is refused, and another of them is not`()
    throws
  {
    var everyone = try Everyone()
    let bob = try #require(everyone.principal(.operator))
    let brief = everyone.world.newSecret()
    try everyone.world.perform(
      IssueToken(name: "brief", token: brief, prefix: "wt_brief", validHours: 1), by: bob)
    let briefly = try #require(
      everyone.world.state.principal(presenting: brief, now: everyone.world.now))
    let given = Given(everyone.world)
    given.when(Self.register, by: briefly).then(ProviderRegistered(name: "xai", title: "xai"))
    given.passed(seconds: 3_600).when(Self.register, by: briefly).thenRefused("credentialEnded")
    let revoked = given.and(RevokeToken(token: "brief"), by: bob)
    revoked.when(Self.register, by: briefly).thenRefused("credentialEnded", saying: "revoked")
    revoked.when(Self.register, by: bob).then(ProviderRegistered(name: "xai", title: "xai"))
  }

  @Test func `a report that waited while its node was removed is refused`() throws {
    var everyone = try Everyone()
    let agent = try #require(everyone.principal(.agent))
    let report = ReportNode(
      bootID: "b", incarnation: "i", generation: 0, facts: GoldenTests.facts, attempts: [])
    try everyone.world.perform(RemoveNode(node: "n1", poweredOff: false))
    Given(everyone.world).when(report, by: agent)
      .thenRefused("credentialEnded", saying: "the node was removed")
  }

  @Test func `a gateway's secret ends with it`() throws {
    var everyone = try Everyone()
    let gateway = try #require(everyone.secrets[.gateway])
    try everyone.world.perform(RemoveGateway(gateway: "g1"))
    #expect(everyone.world.state.principal(presenting: gateway, now: everyone.world.now) == nil)
  }
}
