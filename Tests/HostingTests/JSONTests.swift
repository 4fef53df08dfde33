// Every command survives its JSON form, and no document, however broken, crashes the reader.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct JSONTests {
  private static let moment = Timestamp(microseconds: 1_748_736_000_123_456)
  private static let attempt = AttemptID(
    replica: ReplicaID(deployment: 31, number: 2), placedAt: 40)

  /// One of every type, with every field set.
  static let commands: [any Command] = [
    PlaceMark(name: "m", position: 3),
    TakeLeadership(
      instance: "w", address: "127.0.0.1:7400",
      database: DatabaseIdentity(systemIdentifier: "7", timeline: 1),
      secretFingerprint: .numbered(1), nodeLostSeconds: 75),
    BeginEra(
      database: DatabaseIdentity(systemIdentifier: "7", timeline: 2),
      secretFingerprint: .numbered(1)),
    RaiseFormatLevel(level: 2, readers: [FormatReader(instance: "w", formatLevel: 2)]),
    RecordClusterSecret(fingerprint: .numbered(1)),
    AdmitFirstAdmin(name: "ann", token: .numbered(1), prefix: "wt_"),
    InvitePerson(
      name: "bob", email: try! Email("bob@example.org"), role: .operator, invitation: .numbered(2)),
    AcceptInvitation(token: .numbered(3), prefix: "wt_", name: "laptop", validHours: 36),
    DisablePerson(name: "bob"),
    ForgetPerson(person: .name("bob")),
    NoteErasure(persons: [ID(17)], snapshots: 2),
    RegisterProvider(name: "xai", title: "x\"\\/é😀"),
    SuspendProvider(provider: "xai"),
    ReinstateProvider(provider: "xai"),
    SignAgreement(
      provider: "xai",
      terms: Terms(
        scope: [.inference], audiences: [.internal], from: moment, until: moment, noticeDays: 1)),
    AmendAgreement(
      provider: "xai", scope: [.training], audiences: [.external], until: moment, noticeDays: 2,
      endless: false),
    TerminateAgreement(provider: "xai", end: moment),
    EndAgreement(agreement: ID(2)),
    DefineEngine(launch: GoldenTests.waitingLaunch, tasks: [.chat]),
    OnboardModel(model: "xai/grok:1", task: .chat, contextLength: 1),
    AddModelVersion(
      model: "xai/grok:1", engine: "sim", needs: .devices(2), arguments: ["--a b"],
      modelPath: "/m", weights: .numbered(4)),
    PublishModel(model: "xai/grok:1", audience: .external, stage: .preview),
    AliasModel(model: "xai/grok:1", alias: "stable"),
    UnaliasModel(model: "xai/grok:stable"),
    DeprecateModel(model: "xai/grok:1"),
    RetireModel(model: "xai/grok:1"),
    RegisterTeam(name: "t", title: "T", audience: .internal),
    GrantAccess(
      team: "t", model: "xai/grok:1", workload: .evaluation,
      quota: Quota(requestsPerMinute: 1, tokensPerMinute: 2), until: moment),
    RevokeAccess(team: "t", model: "xai/grok:1"),
    ExpireGrant(team: ID(1), model: ID(2)),
    SetQuota(team: "t", quota: Quota(requestsPerMinute: 2, tokensPerMinute: 3)),
    IssueKey(team: "t", name: "k", secret: .numbered(5), prefix: "wk_", until: moment),
    RotateKey(
      team: "t", name: "k", secret: .numbered(6), prefix: "wk_", graceSeconds: 5,
      endPreviousNow: true),
    RevokeKey(team: "t", name: "k"),
    ExpireKey(key: ID(30)),
    IssueJoinToken(token: .numbered(7), validHours: 1, prefix: "wharf-join-1"),
    RevokeJoinToken(joinToken: ID(31)),
    ExpireJoinToken(joinToken: ID(32)),
    IssueToken(name: "t", token: .numbered(33), prefix: "wt", validHours: 34),
    RevokeToken(token: "t", person: .name("bob")),
    ExpireToken(person: ID(17), token: .numbered(35)),
    JoinNode(name: "n1", credential: .numbered(8), facts: .devices(2)),
    CordonNode(node: "n1"),
    UncordonNode(node: "n1"),
    DeclareNodeLost(node: ID(3), silentSeconds: 80),
    DeclareNodeReturned(node: ID(3)),
    ReportNode(
      bootID: "b", incarnation: "i", generation: 4, facts: .devices(1),
      attempts: [
        ObservedAttempt(
          id: attempt, phase: .ready, pid: 1, endpoint: "http://h:1", exitCode: 0, exitSignal: 9,
          reason: "r", ordered: .leaseEnded, cause: .weightsDiffer, device: "d0",
          weights: WeightsFound(wanted: .numbered(10), found: .numbered(11)))
      ], strangers: [attempt], unknownProcesses: 1, troubles: [.deviceToolFailed]),
    RemoveNode(node: "n1", poweredOff: true),
    RaiseNodeAlarm(cause: .eraLost, seen: 100),
    AcceptEra(node: "n1"),
    CreateDeployment(
      name: "d", model: "xai/grok:1", replicas: 2, workload: .inference, exclusive: true),
    ScaleDeployment(deployment: "d", replicas: 3),
    DeleteDeployment(deployment: "d"),
    PlaceReplicas(
      deployment: ID(4),
      placements: [Placement(replica: 1, node: ID(3), devices: ["d0"], reason: "r")]),
    NoteWaiting(deployment: ID(4), replicas: [1], reason: .noNodes),
    RemoveReplicas(deployment: ID(4), replicas: [1], leaving: true),
    StopAttempts(deployment: ID(4)),
    RestartReplica(deployment: "d", number: 1),
    RestartAttempts(
      deployment: ID(4), attempts: [attempt], cause: .unanswering,
      requests: RequestCounts(asked: 9, gaveUp: 7)),
    RegisterGateway(name: "g", credential: .numbered(9)),
    RemoveGateway(gateway: "g", poweredOff: true),
    SetGatewayGrace(seconds: 900),
    StartGatewayProcess(incarnation: "8a2c", address: "10.0.0.7:7480", replaces: "5f0c"),
    StopGatewayProcess(process: 26),
    NoteSilentGateways(processes: [26, 27]),
    VouchGatewayOff(gateway: "xai", process: "a1b2", all: false),
    DismissAttempts(
      deployment: ID(24),
      attempts: [AttemptID(replica: ReplicaID(deployment: 31, number: 2), placedAt: 40)],
      enforced: 25),
  ]

  @Test func `every type of command has one example here`() {
    #expect(Set(Self.commands.map { type(of: $0).type }) == Set(CommandTypes.all.map { $0.type }))
    #expect(Self.commands.count == CommandTypes.all.count)
  }

  @Test func `every field of every type is set in its example`() {
    var fields = FieldsSet()
    for command in Self.commands { fields.note(command, of: type(of: command).type) }
    #expect(fields.count > 30, "reflection finds nothing")
    #expect(fields.never == [])
  }

  @Test(arguments: commands.indices) func `a command read back is the same`(index: Int) throws {
    let command = Self.commands[index]
    let read = try Swift.type(of: command).init(jsonBytes: command.jsonBytes)
    #expect(read.jsonBytes == command.jsonBytes)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `a mutated document is read or refused, and never crashes`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var refused = 0
    for _ in 0..<400 {
      let command = random.pick(Self.commands)
      var bytes = command.jsonBytes
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
      do {
        let read = try Swift.type(of: command).init(jsonBytes: bytes)
        let again = try Swift.type(of: command).init(jsonBytes: read.jsonBytes)
        #expect(again.jsonBytes == read.jsonBytes, "seed \(seed)")
      } catch { refused += 1 }
    }
    #expect(refused > 100)
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    guard !bytes.isEmpty else { return }
    let index = Int.random(in: 0..<bytes.count, using: &random)
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
    case 1: bytes.remove(at: index)
    case 2: bytes.removeSubrange(index...)
    case 3:
      let odd = [
        "\\u", "\\uD800", "\"", "[[[", "{\"a\":", "1e999", "-", "99999999999999999999", "null",
        "\\",
      ]
      bytes.insert(contentsOf: random.pick(odd).utf8, at: index)
    case 4:
      let end = Int.random(in: index..<bytes.count, using: &random)
      bytes.insert(contentsOf: Array(bytes[index...end]), at: index)
    default:
      bytes[index] = random.pick(Array("{}[]\",:\\0-9ue".utf8))
    }
  }

  @Test func `a document nested too deep is refused`() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONProblem.self) { try JSONValue(document: Array(deep.utf8)) }
  }

  @Test func `the same value has the same bytes, whatever order its parts were put in`() {
    // A command's seal is taken over these bytes, and must be the same in every process.
    var launch = Launch.test()
    for name in ["B", "A", "C", "E", "D", "F", "H", "G"] { launch.environment[name] = name }
    let text = String(decoding: JSONEncoding.bytes(of: launch), as: UTF8.self)
    let order = ["A", "B", "C", "D", "E", "F", "G", "H"].map { "\"\($0)\":\"\($0)\"" }
    #expect(text.contains(order.joined(separator: ",")))
  }
}
