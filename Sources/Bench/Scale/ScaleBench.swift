// A run of `wharf-bench scale`: a world is made as a log, real programs serve it, and what each thing costs is
// measured; then the same in a tenth of it. What does not hang on what exists costs as much there.

import EventLog
import Glibc
import HashTreeCollections
import Hosting
import Planner
import Postgres
import Synchronization
import Wire

package struct ScaleBench: Sendable {
  package struct Settings: Sendable {
    package var size = ScaleSize()
    /// Of the second world; none where only one is measured.
    package var smallShare: Double? = 0.1
    /// The folder with wharfd and wharf-gateway.
    package var programs = ""
    package init() {}
  }

  private let settings: Settings
  private let cluster: Cluster
  private let tell: @Sendable (String) -> Void

  package init(
    _ settings: Settings, on cluster: Cluster, tell: @escaping @Sendable (String) -> Void
  ) {
    self.settings = settings
    self.cluster = cluster
    self.tell = tell
  }

  package func run() async throws -> ScaleReport {
    var small: [ScaleRow] = []
    if let share = settings.smallShare {
      small = try await measure(settings.size.scaled(by: share))
    }
    return ScaleReport(
      size: settings.size, rows: try await measure(settings.size), small: small)
  }

  private func measure(_ size: ScaleSize) async throws -> [ScaleRow] {
    let system = try ScaleSystem(cluster, programs: settings.programs)
    defer { system.remove() }
    // A wharfd begins the log: its engines, its first admin.
    try system.startWharfd(atLeast: Position(1))
    system.stopWharfd()
    let world = try await Self.world(size, on: system, tell)
    var measured = ScaleMeasurement(system: system, world: world, tell: tell)
    try await measured.run()
    return measured.rows
  }

  private static func world(
    _ size: ScaleSize, on system: ScaleSystem, _ tell: @Sendable (String) -> Void
  ) async throws -> ScaleWorld {
    let database = system.configuration
    let pool = try Pool(database)
    let reader = LogReader(pool: pool, keys: PersonKeys(Member.secret))
    let head = try await reader.head()
    let state = try await reader.state(at: head)
    let hash = try await reader.hash(at: head)
    await pool.close()
    guard let hash else { throw BenchFailure("the log has no hash at its end") }
    let world = try ScaleWorld(size, after: state, hash, on: database)
    try world.build(tell)
    return world
  }
}

/// The measurements in one world, in an order in which none disturbs the next.
struct ScaleMeasurement {
  private static let reads = 40
  private static let revocations = 60
  private static let eventsPerSecond = 200
  private static let polledSeconds = 10
  private static let commandSeconds = 5
  private static let admins = 64
  private static let viewers = 8
  private static let pageItems = 100

  let system: ScaleSystem
  let world: ScaleWorld
  let tell: @Sendable (String) -> Void
  private(set) var rows: [ScaleRow] = []

  init(system: ScaleSystem, world: ScaleWorld, tell: @escaping @Sendable (String) -> Void) {
    self.system = system
    self.world = world
    self.tell = tell
  }

  private mutating func add(_ row: ScaleRow) {
    rows.append(row)
    tell("\(row.name): \(row.value.rounded(toPlaces: 2)) \(row.unit)")
  }

  mutating func run() async throws {
    measurePlans()
    try await measureStarts()
    try await measureReads()
    try await measurePast()
    try await measureViewers()
    try await measureGateways()
    try await measurePolls()
  }

  // MARK: The planner

  private mutating func measurePlans() {
    var signals = Signals(hearingSeconds: 3_600)
    signals.suspects = []
    let state = world.state
    let now = state.recordedAt
    // As the reconciler has it, after its first pass.
    var memory = PlanMemory()
    let idle = Self.median(of: 50) {
      let plan = plan(state, signals, now: now, remembering: &memory)
      precondition(plan.decisions.isEmpty, "the world is settled")
    }
    add(ScaleRow(name: "a pass with nothing to do", unit: "ms", value: idle, goal: 1))
    // One more replica is wanted.
    var trial = Trial(after: state)
    let name = ScaleWorld.deployment(0)
    let wanted = (state.deployments.named(name)?.wanted ?? 0) + 1
    let admin = Principal(actor: .wharfd, role: .admin)
    do {
      try trial.perform(ScaleDeployment(deployment: name, replicas: wanted), by: admin, now: now)
    } catch {
      preconditionFailure("a deployment of the world is scaled: \(error)")
    }
    let changed = trial.state
    _ = plan(changed, signals, now: now, remembering: &memory)
    let busy = Self.median(of: 20) {
      let plan = plan(changed, signals, now: now, remembering: &memory)
      precondition(!plan.decisions.isEmpty, "one is to be placed")
    }
    add(ScaleRow(name: "a pass after one event", unit: "ms", value: busy, goal: 5))
  }

  /// Milliseconds.
  private static func median(of count: Int, _ body: () -> Void) -> Double {
    let times = (0..<count).map { _ in
      let began = ContinuousClock.now
      body()
      return (ContinuousClock.now - began).inSeconds * 1_000
    }
    return Spread(times).median
  }

  // MARK: wharfd

  private mutating func measureStarts() async throws {
    let head = world.state.position
    let whole = try system.startWharfd(atLeast: head)
    tell("wharfd was ready in \((whole.inSeconds * 10).rounded() / 10) s without a snapshot")
    try await waitForSnapshot()
    system.stopWharfd()
    let next = try system.startWharfd(atLeast: head)
    add(
      ScaleRow(
        name: "wharfd ready from a snapshot", unit: "s", value: next.inSeconds, goal: 5,
        isFlat: false))
    add(
      ScaleRow(
        name: "wharfd's memory", unit: "MB", value: try system.wharfdCost().megabytes, goal: 1_500,
        isFlat: false))
  }

  /// Of the last whole interval; a log that is shorter than one has none.
  private func waitForSnapshot() async throws {
    let interval = Int64(SnapshotLimits().intervalEvents)
    let last = world.state.position.value / interval * interval
    let deadline = ContinuousClock.now + .seconds(300)
    var connection = try Connection(system.configuration)
    while last > 0 {
      let rows = try connection.query("SELECT coalesce(max(position), 0)::int8 FROM log.snapshots")
      if try rows[0].decode(Int64.self, at: 0) >= last { return }
      guard ContinuousClock.now < deadline else {
        tell("wharfd wrote no snapshot of position \(last) in 300 s")
        return
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  // MARK: Reads

  private var firstPages: [String] {
    let limit = "limit=\(Self.pageItems)"
    let provider = "provider-\(world.size.providers - 1)"
    let model = "\(provider)/model-\(world.size.providers - 1)"
    return [
      "providers?\(limit)", "agreements?\(limit)", "models?\(limit)", "teams?\(limit)",
      "keys?\(limit)", "nodes?\(limit)", "deployments?limit=20", "replicas?\(limit)",
      "models?\(limit)&provider=\(provider)", "teams?\(limit)&model=\(model)",
      "keys?\(limit)&team=team-\(world.size.teams - 1)",
      "nodes?\(limit)&deployment=deployment-\(world.size.deployments - 1)",
      "deployments?limit=20&status=incomplete", "deployments?limit=20&node=node-0",
      "replicas?\(limit)&node=node-\(world.size.nodes - 1)",
      "replicas?\(limit)&status=waiting", "replicas?\(limit)&provider=\(provider)",
    ]
  }

  /// The 99th percentile of each path, in milliseconds.
  private func measure(_ paths: [String], times: Int = reads) async throws -> [String: Double] {
    var worst: [String: Double] = [:]
    for path in paths {
      var nanoseconds: [Int64] = []
      for _ in 0..<times {
        let reply = try await system.client.get("/v1/\(path)")
        guard reply.status == 200 else {
          throw BenchFailure(
            "GET \(path) was answered with \(reply.status): "
              + String(decoding: reply.body.prefix(300), as: UTF8.self))
        }
        nanoseconds.append(reply.elapsed.inNanoseconds)
      }
      worst[path] = Percentile.of(0.99, nanoseconds).map { Double($0) / 1e6 }
    }
    return worst
  }

  private mutating func measureReads() async throws {
    func add(_ name: String, _ paths: [String]) async throws {
      let times = try await measure(paths)
      guard let worst = times.max(by: { $0.value < $1.value }) else { return }
      self.add(
        ScaleRow(
          name: name, unit: "ms", value: worst.value, goal: 50,
          note: paths.count > 1 ? "the slowest: \(worst.key)" : ""))
    }
    try await add("first page of any list, any filter (p99)", firstPages)
    try await add("status (p99)", ["status"])
    try await add("why deployment (p99)", ["why/deployment/deployment-0"])
  }

  private mutating func measurePast() async throws {
    var random = SystemRandomNumberGenerator()
    var worst = 0.0
    for _ in 0..<6 {
      let last = world.state.position.value
      let position = Int64.random(in: last / 2...last, using: &random)
      let reply = try await system.client.get("/v1/providers/provider-0?asOf=\(position)")
      guard reply.status == 200 else { throw BenchFailure("a read of the past failed") }
      worst = max(worst, reply.elapsed.inSeconds)
    }
    add(
      ScaleRow(
        name: "one show as of an earlier position (worst)", unit: "s", value: worst, goal: 1,
        isFlat: false))
  }

  // MARK: Commands beside readers

  /// Sends commands of so many admins for some seconds.
  private func commandRate() async throws -> Double {
    let client = try system.client
    let end = ContinuousClock.now + .seconds(Self.commandSeconds)
    let sent = Count()
    let first = UInt64.random(in: 0..<1 << 40)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<Self.admins {
        group.addTask {
          while ContinuousClock.now < end {
            let number = first + sent.next()
            try await client.send(PlaceMark(name: Name.ours("mark-\(number)")))
          }
        }
      }
      try await group.waitForAll()
    }
    return Double(sent.next()) / Double(Self.commandSeconds)
  }

  private mutating func measureViewers() async throws {
    let tokens = try await viewerTokens()
    let alone = try await commandRate()
    let client = try system.client
    let paths = firstPages
    let scanning = Task {
      await withTaskGroup(of: Void.self) { group in
        for token in tokens {
          group.addTask {
            while !Task.isCancelled {
              for path in paths { _ = try? await client.get("/v1/\(path)", token: token) }
            }
          }
        }
      }
    }
    let beside = try await commandRate()
    scanning.cancel()
    await scanning.value
    add(
      ScaleRow(
        name: "commands of 64 admins with 8 viewers, against none", unit: "",
        value: beside / max(1, alone), goal: 0.8, atLeast: true,
        note: "\(Int(alone)) a second without"))
  }

  private func viewerTokens() async throws -> [String] {
    var tokens: [String] = []
    for number in 0..<Self.viewers {
      let invitation = Secret(text: "wharf-invitation-\(number)")
      let token = Secret(text: "wharf-person-viewer-\(number)")
      try await system.client.send(
        InvitePerson(
          name: Name.ours("viewer-\(number)"), role: .viewer, invitation: invitation.digest))
      try await system.client.send(
        AcceptInvitation(token: token.digest, prefix: try Text("wharf-person")),
        token: invitation.text)
      tokens.append(token.text)
    }
    return tokens
  }

  // MARK: Gateways

  private mutating func measureGateways() async throws {
    var gateways: [ScaleSystem.Gateway] = []
    for number in 0..<world.size.gateways { gateways.append(try system.startGateway(number)) }
    let fresh = gateways[gateways.count - 1]
    add(
      ScaleRow(
        name: "a fresh gateway serving", unit: "s", value: fresh.serving.inSeconds, goal: 10,
        isFlat: false))
    add(
      ScaleRow(
        name: "its memory", unit: "MB", value: fresh.child.cost?.megabytes ?? 0, goal: 500,
        isFlat: false))
    let client = try system.client
    let busy = Task {
      var number = UInt64.random(in: 0..<1 << 40)
      var next = ContinuousClock.now
      while !Task.isCancelled {
        number += 1
        next += .nanoseconds(1_000_000_000 / Self.eventsPerSecond)
        try? await Task.sleep(until: next, clock: .continuous)
        _ = try? await client.send(PlaceMark(name: Name.ours("busy-\(number)")))
      }
    }
    var nanoseconds: [Int64] = []
    var before = Position.empty
    for number in 0..<Self.revocations {
      let team = world.state.teams.named(ScaleWorld.team(number % world.size.teams))
      guard let team, let grant = team.grants.values.min(by: { $0.model < $1.model }),
        let model = world.state.models[grant.model]
      else { throw BenchFailure("a team of the world has no grant") }
      let began = ContinuousClock.now
      let reference = try ModelReference(jsonText: model.label)
      let position = try await system.client.send(RevokeAccess(team: team.name, model: reference))
      let reply = try await system.client.get(
        "/v1/gateways/enforced?position=\(position)&wait=30")
      guard reply.status == 200 else { throw BenchFailure("a revocation was not enforced") }
      nanoseconds.append((ContinuousClock.now - began).inNanoseconds)
      before = position
      // The next one of this team is another.
      try await system.client.send(GrantAccess(team: team.name, model: reference))
    }
    busy.cancel()
    await busy.value
    let p99 = Percentile.of(0.99, nanoseconds).map { Double($0) / 1e6 } ?? 0
    add(
      ScaleRow(
        name: "revoke to enforced on 3 gateways, 200 events/s (p99)", unit: "ms", value: p99,
        goal: 250))
    try await measureNews(after: before)
    for gateway in gateways { system.stop(gateway) }
  }

  /// What a gateway is told of one revocation.
  private mutating func measureNews(after position: Position) async throws {
    guard let team = world.state.teams.named(ScaleWorld.team(world.size.teams - 1)),
      let grant = team.grants.values.min(by: { $0.model < $1.model }),
      let model = world.state.models[grant.model]
    else { return }
    let era = world.state.log.era?.position ?? .empty
    let before = try await system.client.send(PlaceMark(name: Name.ours("before-news")))
    try await system.client.send(
      RevokeAccess(team: team.name, model: try ModelReference(jsonText: model.label)))
    let path =
      "/v1/gateway/policy?form=\(PolicyNews.form)&after=\(before)&era=\(era)&incarnation=bench"
    let reply = try await system.client.get(path, token: ScaleWorld.gateway(0).text)
    guard reply.status == 200 else {
      throw BenchFailure(
        "news were answered with \(reply.status): "
          + String(decoding: reply.body.prefix(300), as: UTF8.self))
    }
    add(
      ScaleRow(
        name: "bytes to a gateway for one revocation", unit: "bytes",
        value: Double(reply.body.count), goal: 2_000))
  }

  // MARK: Agents

  private mutating func measurePolls() async throws {
    let alone = try await cpuPerEvent()
    let polls = LongPolls()
    defer { polls.closeAll() }
    for number in 0..<world.size.nodes {
      guard let node = world.state.nodes.named(ScaleWorld.nodeName(number)) else { continue }
      let request =
        "GET /v1/agent/assignment?after=\(node.generation)&wait=60 HTTP/1.1\r\nHost: bench\r\n"
        + "Authorization: Bearer \(ScaleWorld.node(number).text)\r\n\r\n"
      guard polls.open(system.port, request) else {
        throw BenchFailure(
          "only \(polls.count) connections could be opened: raise the limit of open files")
      }
    }
    // Until all are held.
    try await Task.sleep(for: .seconds(5))
    let early = polls.answered
    let beside = try await cpuPerEvent()
    add(
      ScaleRow(
        name: "agents answered by events that do not concern them", unit: "",
        value: Double(polls.answered - early), goal: 0, isFlat: false,
        note: "of \(polls.count), \(early) answered before"))
    add(
      ScaleRow(
        name: "leader's CPU an event with all agents connected, against none", unit: "",
        value: beside / max(alone, 1e-9), goal: 1.5, isFlat: false,
        note: "\(Int(alone * 1e6)) µs without"))
  }

  /// What wharfd uses of processors for one event, while some come.
  private func cpuPerEvent() async throws -> Double {
    let began = try system.wharfdCost().seconds
    let count = Self.eventsPerSecond * Self.polledSeconds
    var next = ContinuousClock.now
    let serial = UInt64.random(in: 0..<1 << 40)
    for number in 0..<count {
      next += .nanoseconds(1_000_000_000 / Self.eventsPerSecond)
      try await Task.sleep(until: next, clock: .continuous)
      try await system.client.send(PlaceMark(name: Name.ours("cpu-\(serial)-\(number)")))
    }
    return (try system.wharfdCost().seconds - began) / Double(count)
  }
}

/// Numbers that tasks take in turn.
private final class Count: Sendable {
  private let taken = Mutex<UInt64>(0)

  func next() -> UInt64 {
    taken.withLock { taken in
      defer { taken += 1 }
      return taken
    }
  }
}
