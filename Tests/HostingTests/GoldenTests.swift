// The stored form of every event: one file a type under Golden. A type without a file fails, and so
// does one whose form changed: stored events stay for ever, so a change needs an upcaster. A field that
// no example has set fails, too: its form would be held by nothing.

import Foundation
import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct GoldenTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden")

  static let moment = Timestamp(microseconds: 1_748_736_000_123_456)

  static let launch = Launch(
    engine: "vllm", command: ["vllm", "serve", "${modelPath}", "--port", "${port}"],
    environment: ["HF_HUB_OFFLINE": "1"],
    readiness: .init(
      path: "/health", listsModel: true, periodMilliseconds: 500, deadlineSeconds: 600),
    stopGraceSeconds: 30)

  static let facts = NodeFacts(
    address: "10.0.0.7", cpuMillis: 64_000, memory: .gib(512),
    devices: [DeviceFacts(id: "GPU-8a2c", model: "H100", memory: .gib(80))])

  static let terms = Terms(
    scope: [.evaluation, .inference], audiences: [.external, .internal], from: moment,
    until: moment.adding(days: 730), noticeDays: 90)

  private static let attempt = AttemptID(
    replica: ReplicaID(deployment: 31, number: 2), placedAt: 40)

  /// One of every type, with every field set that its golden file was written with.
  static let examples: [any Event] = [
    EraBegan(
      database: DatabaseIdentity(
        systemIdentifier: "7331", timeline: 2, database: 16_384, table: 16_402)),
    LeadershipTaken(instance: "wharfd-1", address: "127.0.0.1:7400"),
    CommandNoted(command: "node.cordon"),
    MarkPlaced(name: "before-revoke", position: 17),
    FormatLevelRaised(level: 2),
    ClusterSecretRecorded(fingerprint: .numbered(11)),
    PersonInvited(
      name: .sealed(SealedBox(of: ID(17), box: [0x0F, 0xA0, 0x07])),
      email: .sealed(SealedBox(of: ID(17), box: [0x1F, 0xB0])), role: .admin,
      invitation: .numbered(1), until: moment),
    PersonDisabled(),
    PersonForgotten(),
    PersonErased(snapshots: 3),
    PersonTokenIssued(token: .numbered(2), prefix: "wt_ann"),
    PersonTokenEnded(token: .numbered(2), cause: .revoked),
    ProviderRegistered(name: "xai", title: "xAI \"Grok\" é"),
    ProviderSuspended(),
    ProviderReinstated(),
    AgreementSigned(provider: ID(1), terms: terms),
    AgreementAmended(terms: terms),
    AgreementTerminated(end: moment),
    AgreementEnded(),
    EngineDefined(name: "vllm", launch: launch, tasks: [.chat, .completion, .embedding]),
    ModelOnboarded(provider: ID(1), name: "grok-3", task: .chat, contextLength: 131_072),
    ModelVersionAdded(
      version: "1", launch: launch,
      needs: Needs(devices: 2, deviceMemory: .gib(70), cpuMillis: 8_000, memory: .gib(64)),
      modelPath: "/models/grok-3", weights: .numbered(3)),
    ModelPublished(audience: .internal, stage: .preview),
    ModelAliased(alias: "stable", version: "1"),
    ModelUnaliased(alias: "stable"),
    ModelDeprecated(),
    ModelRetired(),
    TeamRegistered(name: "copilot", title: "Copilot", audience: .internal),
    AccessGranted(
      model: ID(9), workload: .inference,
      quota: Quota(requestsPerMinute: 600, tokensPerMinute: 90_000), until: moment),
    AccessRevoked(model: ID(9)),
    GrantExpired(model: ID(9)),
    QuotaSet(quota: Quota(requestsPerMinute: 600, tokensPerMinute: 90_000)),
    KeyIssued(team: ID(4), name: "laptop", secret: .numbered(4), prefix: "wk_abc", until: moment),
    KeyRotated(secret: .numbered(5), prefix: "wk_def", previousUntil: moment),
    KeyRevoked(),
    KeyExpired(),
    JoinTokenIssued(token: .numbered(6), until: moment),
    JoinTokenEnded(cause: .expired),
    NodeJoined(name: "n1", credential: .numbered(7), facts: facts),
    NodeCordoned(),
    NodeUncordoned(),
    NodeLost(silentSeconds: 80),
    NodeReturned(),
    NodeReported(
      bootID: "5f0c", incarnation: "agent-2", facts: facts,
      attempts: [
        AttemptChange(
          ObservedAttempt(
            id: attempt, phase: .ended, pid: 4_711, endpoint: "http://10.0.0.7:9001", exitCode: 1,
            exitSignal: 9, reason: "out of device memory"))
      ]),
    NodeRemoved(poweredOff: true),
    NodeTroubled(troubles: [.deviceToolFailed, .ledgerUnwritable]),
    NodeAlarmed(alarm: "the log was seen up to 100 before", seen: 100),
    EraAccepted(era: 61),
    DeploymentCreated(
      name: "grok", model: ID(9), version: "1", workload: .inference, replicas: 2, exclusive: true),
    DeploymentScaled(replicas: 3),
    DeploymentDeleted(),
    ReplicasPlaced(
      placements: [
        Placement(replica: 2, node: ID(20), devices: ["GPU-8a2c"], reason: "the tightest fit")
      ]),
    ReplicasWaiting(replicas: [1, 2], reason: .notEnoughDevices),
    ReplicasRemoved(replicas: [3], reason: "scaled down"),
    AttemptsStopped(replicas: [1, 2], reason: .providerSuspended),
    AttemptsDismissed(attempts: [attempt], enforced: 72),
    ReplicasRestarted(
      replicas: [1], cause: .unanswering, requests: RequestCounts(asked: 9, gaveUp: 7)),
    GatewayRegistered(name: "g1", credential: .numbered(8)),
    GatewayRemoved(),
    GatewayGraceSet(seconds: 900),
    GatewayStarted(incarnation: "8a2c5f0c", address: "10.0.0.7:7480"),
    GatewayStopped(process: 71, cause: .silent),
  ]

  /// What a golden file that was published lacks: optional fields that came later, a file `type.NAME.json`
  /// for each.
  private static let further: [(name: String, event: any Event)] = [
    (
      "ordered",
      NodeReported(
        bootID: "5f0c", incarnation: "agent-2", facts: nil,
        attempts: [
          AttemptChange(ObservedAttempt(id: attempt, phase: .ended, ordered: .nodeStopped))
        ])
    ),
    (
      "silence",
      LeadershipTaken(instance: "wharfd-1", address: "127.0.0.1:7400", nodeLostSeconds: 75)
    ),
    ("leaving", DeploymentDeleted(leaving: true)),
    ("leaving", ReplicasRestarted(replicas: [1], cause: .asked, leaving: true)),
    ("leaving", ReplicasRemoved(replicas: [3], reason: "scaled down", leaving: true)),
    (
      "cause",
      NodeReported(
        bootID: "5f0c", incarnation: "agent-2", facts: nil,
        attempts: [
          AttemptChange(
            ObservedAttempt(
              id: attempt, phase: .ended, exitCode: 1, cause: .weightsDiffer, device: "GPU-8a2c",
              weights: WeightsFound(wanted: .numbered(9), found: .numbered(10))))
        ])
    ),
    ("cause", NodeAlarmed(alarm: nil, seen: 100, cause: .logRewritten)),
    (
      "named",
      PersonTokenIssued(
        token: .numbered(2), prefix: "wt_ann",
        name: .sealed(SealedBox(of: ID(17), box: [0x0F, 0xA0])), until: moment)
    ),
    ("prefixed", JoinTokenIssued(token: .numbered(6), until: moment, prefix: "wharf-join-5f0c")),
    ("waiting", EngineDefined(name: "vllm", launch: waitingLaunch, tasks: [.chat])),
    (
      "waiting",
      ModelVersionAdded(
        version: "1", launch: waitingLaunch, needs: .devices(2), modelPath: nil, weights: nil,
        arguments: ["--port", "${port}"])
    ),
  ]

  /// With all that a launch may say of how it is waited for.
  static let waitingLaunch = {
    var launch = GoldenTests.launch
    launch.liveness = Launch.Liveness(
      path: "/alive", periodSeconds: 10, failures: 3, graceSeconds: 30,
      request: .init(
        path: "/v1/completions", body: #"{"model":"${servedModelName}","prompt":"1"}"#,
        timeoutSeconds: 20))
    launch.waits = Launch.Waits(firstByteSeconds: 60, idleSeconds: 120, wholeSeconds: 600)
    return launch
  }()

  static let allExamples = examples + further.map(\.event)

  @Test func `every type of event has one example here`() {
    #expect(Self.examples.map { type(of: $0).type } == EventTypes.all.map { $0.type })
  }

  @Test func `every field of every type is set in an example of it`() {
    var fields = FieldsSet()
    for event in Self.allExamples { fields.note(event, of: type(of: event).type) }
    #expect(fields.count > 30, "reflection finds nothing")
    #expect(fields.never == [], "add an example that sets it, and its golden file type.NAME.json")
  }

  @Test func `a field that no example sets is found`() {
    struct Crate {
      var mark: String?
      var parts: [Part] = []
      var labels: [String: Int?] = [:]
      struct Part { var weight: Int? }
    }
    var fields = FieldsSet()
    fields.note(Crate(mark: "m", parts: [.init()]), of: "crate")
    #expect(fields.never == ["crate.labels", "crate.parts[].weight"])
    fields.note(Crate(labels: ["a": nil]), of: "crate")
    #expect(fields.never == ["crate.labels[].value", "crate.parts[].weight"])
    fields.note(Crate(parts: [.init(), .init(weight: 1)], labels: ["a": 1]), of: "crate")
    #expect(fields.never == [])
  }

  private static func file(of index: Int) -> URL {
    let type = type(of: allExamples[index])
    let name = index < examples.count ? nil : further[index - examples.count].name
    return GoldenFiles.file(type.type, type.schemaVersion, name, in: folder)
  }

  @Test(arguments: allExamples.indices)
  func `its stored form is what it always was`(index: Int) throws {
    let event = Self.allExamples[index]
    let type = Swift.type(of: event)
    let file = Self.file(of: index)
    if ProcessInfo.processInfo.environment["WHARF_WRITE_GOLDEN"] != nil,
      !FileManager.default.fileExists(atPath: file.path)
    {
      try Data(event.jsonBytes + [UInt8(ascii: "\n")]).write(to: file)
    }
    let stored = try Array(Data(contentsOf: file)).dropLast()
    #expect(
      String(decoding: event.jsonBytes, as: UTF8.self) == String(decoding: stored, as: UTF8.self))
    let read = try EventTypes.decode(
      type: type.type, schemaVersion: type.schemaVersion, data: Array(stored))
    #expect(read.jsonBytes == Array(stored))
    let same = Self.equal(read, event)
    #expect(same)
  }

  /// What each golden file of an earlier version is read as.
  static let older: [(version: Int, event: any Event)] = [
    (1, PersonInvited(name: .known("ann"), role: .admin, invitation: .numbered(1), until: moment))
  ]

  @Test func `every earlier version has its file, and is read as it was meant`() throws {
    for type in EventTypes.all {
      let versions = Self.older.filter { Swift.type(of: $0.event).type == type.type }
      #expect(
        versions.map(\.version) == Array(1..<type.schemaVersion), "what \(type.type) was before")
      for (version, event) in versions {
        let stored = try GoldenFiles.stored(type.type, version, in: Self.folder)
        let read = try EventTypes.decode(type: type.type, schemaVersion: version, data: stored)
        let same = Self.equal(read, event)
        #expect(same, "version \(version) of \(type.type)")
      }
    }
  }

  private static func equal<E: Event>(_ read: any Event, _ expected: E) -> Bool {
    (read as? E) == expected
  }

  @Test func `no file is left that no test reads`() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
      .filter { $0.hasSuffix(".json") }
    let older = Self.older.map { version, event in
      GoldenFiles.file(Swift.type(of: event).type, version, in: Self.folder)
    }
    let read = Self.allExamples.indices.map(Self.file(of:)) + older
    #expect(Set(files) == Set(read.map(\.lastPathComponent)))
    #expect(files.count == read.count, "two examples have one file")
  }

  @Test func `an unknown type, version or field is refused`() {
    #expect(throws: JSONProblem.self) {
      try EventTypes.decode(type: "nodeMelted", schemaVersion: 1, data: Array("{}".utf8))
    }
    #expect(throws: JSONProblem.self) {
      try EventTypes.decode(type: "nodeCordoned", schemaVersion: 2, data: Array("{}".utf8))
    }
    #expect(throws: JSONProblem.self) {
      try EventTypes.decode(type: "nodeCordoned", schemaVersion: 1, data: Array("{\"a\":1}".utf8))
    }
  }
}
