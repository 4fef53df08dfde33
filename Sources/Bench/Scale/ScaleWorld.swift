// The world of a run, as a log: decided and chained as a leader would, in large statements and without waiting
// for the disk. What is placed where, the planner says.

import EventLog
import HashTreeCollections
import Hosting
import Planner
import Postgres
import Wire

final class ScaleWorld {
  /// What opens it; all are known to the bench, which made them.
  static func key(_ team: Int, _ number: Int) -> Secret {
    Secret(text: "wharf-key-\(team)-\(number)")
  }
  static func node(_ number: Int) -> Secret { Secret(text: "wharf-node-\(number)") }
  static func gateway(_ number: Int) -> Secret { Secret(text: "wharf-gateway-\(number)") }

  static func team(_ number: Int) -> Name { Name.ours("team-\(number)") }
  static func nodeName(_ number: Int) -> Name { Name.ours("node-\(number)") }
  static func deployment(_ number: Int) -> Name { Name.ours("deployment-\(number)") }

  private static let commandsPerStatement = 1_000
  /// More than are ever decided for one world; a plan that never ends is a fault.
  private static let plansLimit = 10_000

  let size: ScaleSize
  private(set) var state: HostingState
  private var hash: Digest
  private var connection: Connection
  private let admin: Principal

  /// - Parameters:
  ///   - state: of a log that a wharfd has begun, with the hash of its last event.
  init(
    _ size: ScaleSize, after state: HostingState, _ hash: Digest, on database: PostgresConfiguration
  ) throws {
    self.size = size
    self.state = state
    self.hash = hash
    connection = try Connection(database)
    try connection.script("SET synchronous_commit = off")
    guard let person = state.persons.byID.keys.min() else {
      throw BenchFailure("the log that wharfd began has no admin")
    }
    admin = Principal(actor: .of(person.stream), role: .admin)
  }

  func build(_ tell: (String) -> Void) throws {
    tell("the world: \(size.text)")
    try addProviders()
    try addTeams()
    tell("\(state.position) events: providers, models, teams with grants and keys")
    try addNodes()
    try addDeployments()
    tell("\(state.position) events: nodes and deployments; placing")
    try place()
    try becomeReady()
    tell("\(state.position) events in all")
    try connection.script("VACUUM ANALYZE log.events")
  }

  // MARK: Appending

  @discardableResult
  private func perform(_ commands: [(any Command, Principal)]) throws -> [Position] {
    var first: [Position] = []
    for start in stride(from: 0, to: commands.count, by: Self.commandsPerStatement) {
      let some = commands[start..<min(commands.count, start + Self.commandsPerStatement)]
      let pending = some.map { command, principal in
        PendingCommand(
          request: CommandRequest(
            id: Workload.commandID(), command: command, principal: principal),
          seal: Chain.origin, deadline: nil, answer: { _ in })
      }
      let batch = Batch(pending, after: state, hash: hash, now: .wall, sealing: .nothing)
      if let refused = batch.refusals.first {
        throw BenchFailure("the world cannot be made: \(refused)")
      }
      try connection.execute(LogStatements.append(batch.rows))
      first += batch.rows.filter { $0.commandHash != nil }.map(\.position)
      state = batch.state
      hash = batch.hash
    }
    return first
  }

  private func perform(_ commands: [any Command]) throws {
    let admin = admin
    try perform(commands.map { ($0, admin) })
  }

  // MARK: Its things

  private func provider(_ number: Int) -> Name { Name.ours("provider-\(number)") }

  private func model(_ number: Int, version: String = "") throws -> ModelReference {
    try ModelReference(
      jsonText: "\(provider(number % size.providers))/model-\(number)" + version)
  }

  private func addProviders() throws {
    let terms = Terms(
      scope: [.inference], audiences: [.internal, .external], from: state.recordedAt, until: nil,
      noticeDays: 90)
    try perform((0..<size.providers).map { RegisterProvider(name: provider($0)) })
    try perform((0..<size.providers).map { SignAgreement(provider: provider($0), terms: terms) })
    try perform(
      try (0..<size.models).map { number in
        OnboardModel(model: try model(number), task: .chat, contextLength: 8_192)
      })
    try perform(
      try (0..<size.models).map { number in
        // Of replicas that take a device there are no more than devices: six in ten.
        let needs = Needs(
          devices: number % 5 < 3 ? 1 : 0, deviceMemory: Bytes(count: 16 << 30), cpuMillis: 500,
          memory: Bytes(count: 1 << 30))
        return AddModelVersion(
          model: try model(number, version: ":1"), engine: Name.ours("sim"), needs: needs,
          arguments: nil,
          modelPath: nil, weights: nil)
      })
    try perform(
      try (0..<size.models).map { number in
        PublishModel(model: try model(number), audience: .internal, stage: .general)
      })
  }

  private func addTeams() throws {
    try perform((0..<size.teams).map { RegisterTeam(name: Self.team($0), audience: .internal) })
    for team in 0..<size.teams {
      let grants = try (0..<size.grantsPerTeam).map { number in
        GrantAccess(
          team: Self.team(team),
          model: try model((team * 37 + number * 53) % size.models))
      }
      // What two numbers come to may be one model twice.
      try queue(Array(Dictionary(grants.map { ($0.model, $0) }) { first, _ in first }.values))
    }
    try flush()
    let prefix = try Text("wharf-key")
    for key in 0..<size.keysPerTeam {
      try perform(
        (0..<size.teams).map { team in
          IssueKey(
            team: Self.team(team), name: Name.ours("key-\(key)"),
            secret: Self.key(team, key).digest, prefix: prefix)
        })
    }
  }

  private var queued: [any Command] = []

  private func queue(_ commands: [any Command]) throws {
    queued += commands
    if queued.count >= Self.commandsPerStatement { try flush() }
  }

  private func flush() throws {
    let commands = queued
    queued = []
    try perform(commands)
  }

  private func addNodes() throws {
    let facts = NodeFacts(
      address: "127.0.0.1", cpuMillis: 64_000, memory: Bytes(count: 512 << 30),
      devices: (0..<size.devicesPerNode).map {
        DeviceFacts(id: "gpu-\($0)", model: "H100", memory: Bytes(count: 80 << 30))
      })
    let admin = admin
    let tokens = (0..<size.nodes).map { number in
      (
        IssueJoinToken(token: Secret(text: "wharf-join-\(number)").digest, validHours: 24)
          as any Command, admin
      )
    }
    let ids = try perform(tokens)
    try perform(
      zip(0..., ids).map { number, id in
        (
          JoinNode(
            name: Self.nodeName(number), credential: Self.node(number).digest, facts: facts),
          Principal(actor: .of(Stream(.node, id)), role: .joining)
        )
      })
    try report { _ in [] }
  }

  private func addDeployments() throws {
    try perform(
      try (0..<size.deployments).map { number in
        CreateDeployment(
          name: Self.deployment(number), model: try model(number % size.models, version: ":1"),
          replicas: size.replicasPerDeployment)
      })
    for gateway in 0..<size.gateways {
      try perform([
        RegisterGateway(
          name: Name.ours("gateway-\(gateway)"), credential: Self.gateway(gateway).digest)
      ])
    }
  }

  private func place() throws {
    var signals = Signals(hearingSeconds: 0)
    signals.suspects = []
    for _ in 0..<Self.plansLimit {
      let decisions = plan(state, signals, now: .wall).decisions
      if decisions.isEmpty { return }
      try perform(decisions.map { ($0, Principal.wharfd) })
    }
    throw BenchFailure("the planner does not come to an end")
  }

  private func becomeReady() throws {
    let attempts = state.attempts
    try report { node in
      node.attempts.sorted().compactMap { attempts[$0] }.map { attempt in
        ObservedAttempt(
          id: attempt.id, phase: .ready, pid: 100, endpoint: "http://127.0.0.1:9")
      }
    }
  }

  /// The agent of every node reports what it has.
  private func report(_ seen: (Node) -> [ObservedAttempt]) throws {
    let reports = state.nodes.byID.values.sorted { $0.id < $1.id }.map { node in
      (
        ReportNode(
          bootID: "boot", incarnation: "agent", generation: node.generation, facts: node.facts,
          attempts: seen(node)) as any Command,
        Principal(actor: .of(node.id.stream), role: .agent)
      )
    }
    try perform(reports)
  }
}
