// A long log, made fast: for measuring how long a wharfd takes to be ready. Run by
// `WHARF_MEASURE_DATABASE=postgres://… WHARF_MEASURE_EVENTS=1000000 swift test --filter LongLog`,
// then start wharfd on that database.

import Glibc
import HashTreeCollections
import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.enabled(if: getenv("WHARF_MEASURE_DATABASE") != nil), .serialized)
struct LongLogMeasurements {
  private static func text(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  @Test func `LongLog: makes one`() throws {
    let database = try PostgresConfiguration(#require(Self.text("WHARF_MEASURE_DATABASE")))
    let count = Self.text("WHARF_MEASURE_EVENTS").flatMap { Int64($0) } ?? 1_000_000
    _ = try Migrator.migrate(database)
    var connection = try Connection(database)
    try connection.execute("SET synchronous_commit = off")
    var log = try LongLog(&connection)
    while log.state.position.value < count {
      try connection.execute(LogStatements.append(try log.next()))
    }
    print("the log ends at \(log.state.position)")
  }

  @Test func `LongLog: encodes and decodes its state`() throws {
    let database = try PostgresConfiguration(#require(Self.text("WHARF_MEASURE_DATABASE")))
    var connection = try Connection(database)
    let keys = PersonKeys(Rig.secret)
    try keys.prepareAll(&connection)
    var state = HostingState()
    let clock = ContinuousClock()
    let folding = try clock.measure {
      while true {
        let events = try LogReader.events(
          after: state.position, limit: LogReader.pageLimit, on: &connection)
        for event in events { try state.fold(event, keys) }
        if events.count < LogReader.pageLimit { break }
      }
    }
    var bytes: [UInt8] = []
    let encoding = clock.measure { bytes = state.snapshotBytes }
    var read = HostingState()
    let decoding = try clock.measure { read = try HostingState(snapshotBytes: bytes) }
    #expect(read == state)
    print("folded \(state.position) events in \(folding); \(state.attempts.count) attempts:")
    print("\(bytes.count) bytes, encoded in \(encoding), decoded in \(decoding)")
  }
}

/// Nodes, deployments and teams at the size of a large system, then what happens to them.
private struct LongLog {
  private static let nodes = 1_000
  private static let deployments = 200
  private static let replicas = 10
  private static let teams = 200

  private(set) var state = HostingState()
  private var hash = Chain.origin
  private var now = Timestamp("2026-01-01")!
  private var random = SplitMix64(seed: 1)
  private var waiting: [(any Command, Principal)] = []
  private var secrets = 0
  private var setUp = 0
  private var nodeIDs: [ID<Node>] = []

  init(_ connection: inout Connection) throws {
    let database = try LogStatements.readIdentity(&connection).identity
    waiting = [
      (
        TakeLeadership(
          instance: "maker", address: "http://127.0.0.1:1", database: database), .wharfd
      ),
      (AdmitFirstAdmin(name: "admin", token: secret(), prefix: "whp_first"), .wharfd),
      (
        DefineEngine(launch: .test(), tasks: [.chat, .completion]), Principal.tester
      ),
    ]
    for provider in 0..<10 {
      waiting.append((RegisterProvider(name: try Name("maker-\(provider)")), .tester))
      waiting.append(
        (
          SignAgreement(
            provider: try Name("maker-\(provider)"),
            terms: Terms(
              scope: [.inference], audiences: [.internal, .external],
              from: Timestamp(microseconds: 0), until: nil, noticeDays: 0)), .tester
        ))
      let model = try ModelReference(jsonText: "maker-\(provider)/m")
      waiting.append((OnboardModel(model: model, task: .chat, contextLength: nil), .tester))
      waiting.append(
        (
          AddModelVersion(
            model: try ModelReference(jsonText: "maker-\(provider)/m:1"), engine: "sim",
            needs: .devices(1), arguments: nil, modelPath: nil, weights: nil), .tester
        ))
      waiting.append((PublishModel(model: model, audience: .internal, stage: .general), .tester))
    }
    for team in 0..<Self.teams {
      waiting.append((RegisterTeam(name: try Name("team-\(team)"), audience: .internal), .tester))
      waiting.append(
        (
          GrantAccess(
            team: try Name("team-\(team)"),
            model: try ModelReference(jsonText: "maker-\(team % 10)/m")), .tester
        ))
    }
    for _ in 0..<Self.nodes {
      waiting.append((IssueJoinToken(token: secret(), validHours: 700), .tester))
    }
    for number in 0..<Self.deployments {
      waiting.append(
        (
          CreateDeployment(
            name: try Name("serve-\(number)"),
            model: try ModelReference(jsonText: "maker-\(number % 10)/m:1"),
            replicas: Self.replicas), .tester
        ))
    }
  }

  /// The rows of some hundred more commands.
  mutating func next() throws -> [StoredEvent] {
    if waiting.isEmpty { try think() }
    var commands: [PendingCommand] = []
    for (command, principal) in waiting.prefix(200) {
      let id = CommandID(
        at: now, random: (random.next(), random.next()))
      commands.append(
        PendingCommand(
          request: CommandRequest(id: id, command: command, principal: principal), seal: .zero,
          deadline: .now, answer: { _ in }))
    }
    waiting.removeFirst(min(200, waiting.count))
    now = now.adding(seconds: 60)
    let batch = Batch(commands, after: state, hash: hash, now: now, sealing: .nothing)
    state = batch.state
    hash = batch.hash
    return batch.rows
  }

  private mutating func secret() -> Digest {
    secrets += 1
    return .numbered(secrets)
  }

  private mutating func think() throws {
    setUp += 1
    switch setUp {
    case 1:
      for (id, _) in state.joinTokens.sorted(by: { $0.key < $1.key }) {
        waiting.append(
          (
            JoinNode(
              name: try Name("node-\(id.position)"), credential: secret(), facts: .devices(4)),
            .joining(id)
          ))
      }
    case 2:
      nodeIDs = state.nodes.byID.keys.sorted()
      var place = 0
      for deployment in state.deployments.sorted {
        let placements = deployment.replicas.keys.sorted().map { number in
          defer { place += 1 }
          return Placement(
            replica: number, node: nodeIDs[place % nodeIDs.count],
            devices: ["d\(place / nodeIDs.count)"],
            reason: "first fit")
        }
        waiting.append((PlaceReplicas(deployment: deployment.id, placements: placements), .wharfd))
      }
    default:
      for _ in 0..<1_000 { waiting.append(try happening()) }
    }
  }

  private mutating func happening() throws -> (any Command, Principal) {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<80:
      let id = random.pick(nodeIDs)
      let node = state.nodes[id]!
      let seen = node.attempts.sorted().compactMap { state.attempts[$0] }.map { attempt in
        var seen = ObservedAttempt(asKnown: attempt)
        seen.phase = random.pick([.ready, .loading, .unhealthy])
        seen.endpoint = seen.phase == .ready ? "http://10.0.0.1:9001" : nil
        seen.pid = 4_711
        return seen
      }
      return (
        ReportNode(
          bootID: "boot", incarnation: "agent-\(random.next() % 1_000)",
          generation: node.generation,
          facts: node.facts, attempts: seen), .agent(id)
      )
    case 80..<90:
      let team = try Name("team-\(random.next() % UInt64(Self.teams))")
      let keys = state.keys(of: state.teams.named(team)!.id)
      if keys.count > 5 { return (RevokeKey(team: team, name: keys[0].name), .tester) }
      secrets += 1
      return (
        IssueKey(
          team: team, name: try Name("key-\(secrets)"), secret: .numbered(secrets),
          prefix: try Text("whk_\(secrets)"), until: nil), .tester
      )
    case 90..<95:
      let number = random.next() % UInt64(Self.deployments)
      return (
        ScaleDeployment(
          deployment: try Name("serve-\(number)"), replicas: 10 + Int(random.next() % 3)), .tester
      )
    default:
      let node = state.nodes[random.pick(nodeIDs)]!
      return (
        node.cordoned
          ? UncordonNode(node: node.name) as any Command : CordonNode(node: node.name), .tester
      )
    }
  }
}
