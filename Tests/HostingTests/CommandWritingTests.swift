// A command writes what Codable would: all of its properties, in their order, none that is absent. Seals
// are made of it, and a seal stays for ever.

import TestKit
import Testing

@testable import Hosting

@Suite struct CommandWritingTests {
  private static let (moment, terms, facts) = (
    GoldenTests.moment, GoldenTests.terms, GoldenTests.facts
  )
  private static let model = try! ModelReference(jsonText: "xai/grok-3:1")
  private static let person = try! PersonReference(jsonText: "ann")
  private static let email = try! Email("ann@example.org")
  private static let needs = Needs(
    devices: 2, deviceMemory: .gib(70), cpuMillis: 4_000, memory: .gib(16))
  private static let database = DatabaseIdentity(
    systemIdentifier: "7331", timeline: 2, database: 16_384, table: 16_402)
  /// With names enough that a hash table would hardly have them in order.
  private static let launch = {
    var launch = GoldenTests.launch
    launch.environment = ["A": "1", "B": "2", "C": "3"]
    return launch
  }()
  private static let attempt = ObservedAttempt(
    id: AttemptID(replica: ReplicaID(deployment: 31, number: 2), placedAt: 40), phase: .ready,
    pid: 77, endpoint: "http://127.0.0.1:9001")

  /// One of every type with every property set, and one without those that may be absent.
  private static let examples: [any Command] = [
    SignAgreement(provider: "xai", terms: terms),
    AmendAgreement(
      provider: "xai", scope: [.evaluation, .inference], audiences: [.external, .internal],
      until: moment, noticeDays: 11, endless: true),
    AmendAgreement(provider: "xai", scope: nil, audiences: nil, until: nil, noticeDays: nil),
    TerminateAgreement(provider: "xai", end: moment),
    TerminateAgreement(provider: "xai", end: nil),
    EndAgreement(agreement: ID(12)),
    CreateDeployment(
      name: "xai", model: model, replicas: 13, workload: .inference, exclusive: true),
    CreateDeployment(name: "xai", model: model, replicas: 14, workload: nil, exclusive: nil),
    ScaleDeployment(deployment: "xai", replicas: 15),
    DeleteDeployment(deployment: "xai"),
    PlaceReplicas(
      deployment: ID(16),
      placements: [Placement(replica: 1, node: ID(9), devices: ["gpu-0"], reason: "fits")]),
    NoteWaiting(deployment: ID(17), replicas: [18, 19], reason: .noNodes),
    RemoveReplicas(deployment: ID(20), replicas: [21, 22]),
    RemoveReplicas(deployment: ID(20), replicas: [21, 22], leaving: true),
    StopAttempts(deployment: ID(23)),
    DismissAttempts(deployment: ID(24), attempts: [attempt.id], enforced: 25),
    DismissAttempts(deployment: ID(24), attempts: [attempt.id], enforced: nil),
    DefineEngine(launch: launch, tasks: [.chat, .embedding]),
    DefineEngine(launch: GoldenTests.waitingLaunch, tasks: [.chat]),
    ForgetPerson(person: person),
    NoteErasure(persons: [ID(24), ID(25)], snapshots: 26),
    RaiseFormatLevel(level: 27, readers: [FormatReader(instance: "wharfd-1", formatLevel: 2)]),
    RegisterGateway(name: "xai", credential: .numbered(28)),
    RemoveGateway(gateway: "xai"),
    RemoveGateway(gateway: "xai", poweredOff: true),
    SetGatewayGrace(seconds: 900),
    StartGatewayProcess(incarnation: "8a2c", address: "10.0.0.7:7480", replaces: "5f0c"),
    StartGatewayProcess(incarnation: "8a2c", address: "10.0.0.7:7480"),
    StopGatewayProcess(process: 26),
    NoteSilentGateways(processes: [26, 27]),
    VouchGatewayOff(gateway: "xai"),
    VouchGatewayOff(gateway: "xai", process: "a1b2", all: false),
    IssueKey(
      team: "xai", name: "xai", secret: .numbered(29), prefix: "a \"quoted\" é", until: moment),
    IssueKey(team: "xai", name: "xai", secret: .numbered(30), prefix: "a \"quoted\" é", until: nil),
    RotateKey(
      team: "xai", name: "xai", secret: .numbered(31), prefix: "a \"quoted\" é", graceSeconds: 32),
    RotateKey(
      team: "xai", name: "xai", secret: .numbered(31), prefix: "a \"quoted\" é", graceSeconds: 32,
      endPreviousNow: true),
    RevokeKey(team: "xai", name: "xai"),
    ExpireKey(key: ID(62)),
    PlaceMark(name: "xai", position: 33),
    PlaceMark(name: "xai", position: nil),
    TakeLeadership(
      instance: "text-34", address: "text-35", database: database, formatLevel: 36,
      secretFingerprint: .numbered(37), nodeLostSeconds: 75),
    TakeLeadership(
      instance: "text-38", address: "text-39", database: database, formatLevel: 40,
      secretFingerprint: nil),
    BeginEra(database: database, secretFingerprint: .numbered(41)),
    BeginEra(database: database, secretFingerprint: nil),
    RecordClusterSecret(fingerprint: .numbered(42)),
    OnboardModel(model: model, task: .chat, contextLength: 43),
    OnboardModel(model: model, task: .chat, contextLength: nil),
    AddModelVersion(
      model: model, engine: "xai", needs: needs, arguments: ["--a", "b"], modelPath: "text-44",
      weights: .numbered(45)),
    AddModelVersion(
      model: model, engine: "xai", needs: needs, arguments: nil, modelPath: nil, weights: nil),
    PublishModel(model: model, audience: .internal, stage: .preview),
    AliasModel(model: model, alias: "xai"),
    UnaliasModel(model: model),
    DeprecateModel(model: model),
    RetireModel(model: model),
    IssueJoinToken(token: .numbered(46), validHours: 47),
    IssueJoinToken(token: .numbered(46), validHours: 47, prefix: "wharf-join-5f0c"),
    RevokeJoinToken(joinToken: ID(63)),
    ExpireJoinToken(joinToken: ID(64)),
    JoinNode(name: "xai", credential: .numbered(48), facts: facts),
    CordonNode(node: "xai"),
    UncordonNode(node: "xai"),
    DeclareNodeLost(node: ID(49), silentSeconds: 50),
    DeclareNodeReturned(node: ID(51)),
    ReportNode(
      bootID: "text-52", incarnation: "text-53", generation: 54, facts: facts, attempts: [attempt]),
    RemoveNode(node: "xai", poweredOff: true),
    RaiseNodeAlarm(cause: .logRewritten, seen: 55),
    RaiseNodeAlarm(cause: nil, seen: nil),
    ReportNode(
      bootID: "boot", incarnation: "2", generation: 53, facts: facts, attempts: [attempt],
      strangers: [attempt.id], unknownProcesses: 56, troubles: [.deviceToolFailed]),
    RestartReplica(deployment: "xai", number: 57),
    RestartAttempts(
      deployment: ID(58), attempts: [attempt.id], cause: .unanswering,
      requests: RequestCounts(asked: 59, gaveUp: 60)),
    RestartAttempts(deployment: ID(61), attempts: [attempt.id], cause: .secretReplaced),
    AcceptEra(node: "xai"),
    AdmitFirstAdmin(name: "xai", token: .numbered(56), prefix: "a \"quoted\" é"),
    InvitePerson(name: "xai", email: email, role: .operator, invitation: .numbered(57)),
    InvitePerson(name: "xai", email: nil, role: .operator, invitation: .numbered(58)),
    AcceptInvitation(token: .numbered(59), prefix: "a \"quoted\" é"),
    AcceptInvitation(
      token: .numbered(59), prefix: "a \"quoted\" é", name: "laptop", validHours: 65),
    DisablePerson(name: "xai"),
    IssueToken(name: "laptop", token: .numbered(66), prefix: "a \"quoted\" é", validHours: 67),
    IssueToken(name: "laptop", token: .numbered(66), prefix: "a \"quoted\" é"),
    RevokeToken(token: "laptop", person: person),
    RevokeToken(token: "laptop"),
    ExpireToken(person: ID(68), token: .numbered(69)),
    RegisterProvider(name: "xai", title: "a \"quoted\" é"),
    RegisterProvider(name: "xai", title: nil),
    SuspendProvider(provider: "xai"),
    ReinstateProvider(provider: "xai"),
    RegisterTeam(name: "xai", title: "a \"quoted\" é", audience: .internal),
    RegisterTeam(name: "xai", title: nil, audience: .internal),
    GrantAccess(
      team: "xai", model: model, workload: .inference,
      quota: Quota(requestsPerMinute: 60, tokensPerMinute: 7_000), until: moment),
    GrantAccess(team: "xai", model: model, workload: nil, quota: nil, until: nil),
    RevokeAccess(team: "xai", model: model),
    ExpireGrant(team: ID(60), model: ID(61)),
    SetQuota(team: "xai", quota: Quota(requestsPerMinute: 60, tokensPerMinute: 7_000)),
  ]

  @Test func `every type of command has an example`() {
    let shown = Set(Self.examples.map { type(of: $0).type })
    #expect(CommandTypes.all.map { $0.type }.filter { !shown.contains($0) } == [])
  }

  @Test(arguments: examples.indices)
  func `all that is set is written in the order of the properties, and read again`(
    number: Int
  ) throws {
    let command = Self.examples[number]
    #expect(String(decoding: command.jsonBytes, as: UTF8.self) == Self.expected(command))
    let again = try type(of: command).init(jsonBytes: command.jsonBytes)
    #expect(again.jsonBytes == command.jsonBytes)
  }

  private static func expected(_ command: any Command) -> String {
    let fields = Mirror(reflecting: command).children.compactMap { child -> String? in
      var value = child.value
      let optional = Mirror(reflecting: value)
      if optional.displayStyle == .optional {
        guard let some = optional.children.first else { return nil }
        value = some.value
      }
      guard let label = child.label, let value = value as? any Encodable else { return "?" }
      return "\"\(label)\":" + String(decoding: JSONEncoding.bytes(of: value), as: UTF8.self)
    }
    return "{" + fields.joined(separator: ",") + "}"
  }
}
