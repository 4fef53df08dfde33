// A small world to test the domain in: a state, its clock and the facts that led to it. Commands go
// through `decide` as everywhere; what they lead to is folded at once.

import HashTreeCollections
import Hosting

package struct World: Sendable {
  package struct Recorded: Sendable {
    package let event: any Event
    package let fact: Fact
  }

  package private(set) var state = HostingState()
  package var now: Timestamp
  package private(set) var log: [Recorded] = []
  private var secrets = 0

  /// - Parameter formatLevel: of the log, as if it had been raised before.
  package init(at moment: Timestamp = World.start, formatLevel: Int = FormatLevel.current) {
    now = moment
    state.log.formatLevel = formatLevel
  }

  /// 2025-06-01, a Sunday.
  package static let start = Timestamp(microseconds: 1_748_736_000_000_000)

  package mutating func pass(seconds: Int64) { now = now.adding(seconds: seconds) }

  /// Decides a command and folds its events.
  @discardableResult
  package mutating func perform(
    _ command: any Command, by principal: Principal = .testOperator
  ) throws -> [NewEvent] {
    let events = try state.decide(command, by: principal, now: now)
    for event in events { try happen(event.body, on: event.stream, by: principal.actor) }
    return events
  }

  package mutating func happen(
    _ event: any Event, on stream: Stream? = nil, by actor: Actor = .wharfd
  ) throws {
    let position = state.position.next
    let fact = Fact(
      position: position, stream: stream ?? .log, recordedAt: max(now, state.recordedAt),
      actor: actor)
    try state.evolve(event, fact)
    log.append(Recorded(event: event, fact: fact))
  }

  /// A digest that was not used before.
  package mutating func newSecret() -> Digest {
    secrets += 1
    return .numbered(secrets)
  }
}

extension Principal {
  package static let testAdmin = Principal(actor: .of(Stream(.person, 1)), role: .admin)
  package static let testOperator = Principal(actor: .of(Stream(.person, 1)), role: .operator)
  package static func agent(_ node: ID<Node>) -> Principal {
    Principal(actor: .of(node.stream), role: .agent)
  }
  package static func joining(_ node: ID<Node>) -> Principal {
    Principal(actor: .of(node.stream), role: .joining)
  }
}

extension Digest {
  /// A digest of a test: the number in its last bytes.
  package static func numbered(_ number: Int) -> Digest {
    var bytes = [UInt8](repeating: 0, count: 32)
    for index in 0..<8 { bytes[31 - index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    return Digest(bytes: bytes)
  }
}

extension Name: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) {
    do { self = try Name(value) } catch { preconditionFailure("\(error)") }
  }
}

extension Text: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) {
    do { self = try Text(value) } catch { preconditionFailure("\(error)") }
  }
}

extension ModelReference: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) {
    do { self = try ModelReference(jsonText: value) } catch { preconditionFailure("\(error)") }
  }
}

extension Bytes {
  package static func gib(_ count: Int) -> Bytes { Bytes(count: Int64(count) << 30) }
}

extension Needs {
  package static func devices(
    _ devices: Int, of memory: Bytes = .gib(70), cpuMillis: Int = 1_000, memory ram: Bytes = .gib(8)
  ) -> Needs {
    Needs(devices: devices, deviceMemory: memory, cpuMillis: cpuMillis, memory: ram)
  }
}

extension NodeFacts {
  /// Devices `d0` … of one size.
  package static func devices(
    _ count: Int, of memory: Bytes = .gib(80), cpuMillis: Int = 64_000,
    memory ram: Bytes = .gib(512)
  ) -> NodeFacts {
    NodeFacts(
      address: "10.0.0.1", cpuMillis: cpuMillis, memory: ram,
      devices: (0..<count).map { DeviceFacts(id: "d\($0)", model: "H100", memory: memory) })
  }
}

extension Launch {
  package static func test(_ engine: Name = "sim") -> Launch {
    Launch(
      engine: engine, command: ["wharf-engine-sim", "--port", "${port}"], environment: [:],
      readiness: Readiness(
        path: "/health", listsModel: true, periodMilliseconds: 200, deadlineSeconds: 60),
      stopGraceSeconds: 10)
  }
}

// MARK: What most tests begin with

extension World {
  /// A provider with an agreement on inference for both audiences, in force for two years.
  package mutating func addProvider(_ name: Name, scope: [Workload] = [.inference]) throws {
    try perform(RegisterProvider(name: name))
    try perform(
      SignAgreement(
        provider: name,
        terms: Terms(
          scope: scope, audiences: [.internal, .external], from: now, until: now.adding(days: 730),
          noticeDays: 90)))
  }

  /// A model with version 1, on an engine that is defined when it is missing.
  package mutating func addModel(_ reference: ModelReference, needs: Needs) throws {
    if state.engines.named("sim") == nil {
      try perform(DefineEngine(launch: .test(), tasks: [.chat, .completion, .embedding]))
    }
    let bare = try ModelReference(jsonText: reference.modelText)
    try perform(OnboardModel(model: bare, task: .chat, contextLength: nil))
    let version = try ModelReference(jsonText: "\(reference.modelText):1")
    try perform(
      AddModelVersion(
        model: version, engine: "sim", needs: needs, arguments: nil, modelPath: nil, weights: nil))
  }

  @discardableResult
  package mutating func addDeployment(
    _ name: Name, of model: ModelReference, replicas: Int, exclusive: Bool? = nil
  ) throws -> ID<Deployment> {
    try perform(
      CreateDeployment(name: name, model: model, replicas: replicas, exclusive: exclusive))
    return ID(state.position)
  }

  /// A node that joined and has reported once.
  @discardableResult
  package mutating func addNode(_ name: Name, _ facts: NodeFacts = .devices(4)) throws -> ID<Node> {
    let secret = state.position.value * 2 + 1_000_000
    try perform(IssueJoinToken(token: .numbered(Int(secret)), validHours: 1))
    let id = ID<Node>(state.position)
    try perform(
      JoinNode(name: name, credential: .numbered(Int(secret + 1)), facts: facts), by: .joining(id))
    try report(id, boot: "boot-1")
    return id
  }

  /// The agent of a node reports every attempt charged there; `change` says how each is seen, none
  /// for one that it does not list.
  package mutating func report(
    _ id: ID<Node>, boot: String? = nil, incarnation: String = "agent-1",
    generation: Position? = nil, facts: NodeFacts? = nil,
    _ change: (Attempt) -> ObservedAttempt? = { ObservedAttempt(asKnown: $0) }
  ) throws {
    guard let node = state.nodes[id] else { return }
    let seen = node.attempts.sorted().compactMap { state.attempts[$0] }.compactMap(change)
    try perform(
      ReportNode(
        bootID: boot ?? node.bootID, incarnation: incarnation,
        generation: generation ?? node.generation,
        facts: facts ?? node.facts, attempts: seen), by: .agent(id))
  }

  /// Every attempt that is to run is ready.
  package mutating func becomeReady() throws {
    for node in state.nodes.sorted {
      try report(node.id) { attempt in
        var seen = ObservedAttempt(asKnown: attempt)
        if !attempt.stopping {
          seen.phase = .ready
          seen.endpoint = "http://10.0.0.1:9001"
          seen.pid = 100
        }
        return seen
      }
    }
  }
}

extension ObservedAttempt {
  /// Seen as it is known.
  package init(asKnown attempt: Attempt) {
    self.init(
      id: attempt.id, phase: attempt.phase, pid: attempt.pid, endpoint: attempt.endpoint,
      reason: attempt.reason, cause: attempt.cause)
  }

  package init(_ attempt: Attempt, _ phase: AttemptPhase, exitCode: Int? = nil) {
    self.init(id: attempt.id, phase: phase, exitCode: exitCode)
  }
}
