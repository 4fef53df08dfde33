// Speaks the routes of a control plane to one agent, as a test scripts it. It stands in for wharfd
// where only the agent is tested.

import Agent
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Wire

actor StandIn {
  /// `unproved`: answered as by somebody who stands in between; `echoing401`: refused by a wharfd that
  /// holds what was seen and does not know the agent, as behind a proxy that takes its token away.
  enum Mode { case answering, unauthorized, echoing401, removed, unproved, failing, silent }

  let node = Stream(.node, 5)
  let joinToken = "join-token-1"
  var mode = Mode.answering
  var head: HeadWitness = firstHead
  var leaseSeconds = 30
  private(set) var assignment: Assignment?
  private(set) var credential: Digest?
  private(set) var joins: [JoinRequest] = []
  private(set) var reports: [Observation] = []
  private(set) var heartbeats = 0
  private(set) var questions = 0
  var wantsReport = false
  /// Replies to joins are lost this often.
  var lostJoins = 0
  /// Served instead of what the rules say, once.
  var replay: [Assignment] = []

  /// Where the word of the removal says that it stands; at the head otherwise.
  var removedAt: Position?

  /// What its answers say is sealed, and what agents last showed of such.
  var sealed: SealedHead?
  private(set) var shown: SealedHead?

  func seal(_ sealed: SealedHead?) {
    self.sealed = sealed
    shown = nil
  }
  func set(_ mode: Mode) { self.mode = mode }
  func set(removedAt position: Position?) { removedAt = position }
  func set(leaseSeconds: Int) { self.leaseSeconds = leaseSeconds }
  func set(head: HeadWitness) { self.head = head }
  func lose(joins: Int) { lostJoins = joins }
  func send(_ replayed: Assignment) { replay.append(replayed) }
  func askForReport() { wantsReport = true }

  func assign(_ generation: Int64, _ attempts: [AssignedAttempt]) {
    let position = max(Position(generation), head.position)
    head.position = position
    head.hash = digest(UInt8(truncatingIfNeeded: position.value))
    assignment = Wire.Assignment(
      generation: Position(generation), head: head, node: node, leaseSeconds: leaseSeconds,
      heartbeatSeconds: 1, attempts: attempts)
  }

  /// The same work, at the next position.
  func nextGeneration() {
    guard let assignment else { return }
    assign(assignment.generation.value + 1, assignment.attempts)
  }

  // MARK: - What tests wait for

  var last: Observation? { reports.last }

  func attempt(_ id: String) -> ObservedAttempt? {
    reports.last?.attempts.first { $0.id == attemptID(id) }
  }

  /// The attempt as it was last reported, if in this phase. An end is reported once and then
  /// forgotten, so that it may stand in an earlier report.
  func attempt(_ id: String, in phase: AttemptPhase) -> ObservedAttempt? {
    let looked = phase == .ended ? reports[...] : reports.suffix(1)
    for report in looked.reversed() {
      if let seen = report.attempts.first(where: { $0.id == attemptID(id) }), seen.phase == phase {
        return seen
      }
    }
    return nil
  }

  /// Every phase that was reported of an attempt, in order, repetitions left out.
  func phases(of id: String) -> [AttemptPhase] {
    var phases: [AttemptPhase] = []
    for report in reports {
      guard let phase = report.attempts.first(where: { $0.id == attemptID(id) })?.phase,
        phase != phases.last
      else { continue }
      phases.append(phase)
    }
    return phases
  }

  // MARK: - Routes

  struct Complaint: Error, HTTPResponseError {
    var status: HTTPResponse.Status
    var seen: SeenEcho?
    func response(from request: Request, context: some RequestContext) throws -> Response {
      var headers: HTTPFields = [:]
      if let seen, let name = HTTPField.Name(WharfHeader.seen) { headers[name] = seen.headerText }
      return Response(
        status: status, headers: headers,
        body: .init(byteBuffer: ByteBuffer(string: "{\"code\":\"scripted\"}")))
    }
  }

  fileprivate struct Removal: Error {
    var reply: NodeRemovedReply
  }

  fileprivate func note(_ request: Request) {
    if let text = request.headers[.init(WharfHeader.sealedHead)!] {
      shown = SealedHead(headerText: text)
    }
  }

  /// What a wharfd adds to its answers.
  fileprivate func fields(_ request: Request, _ status: Int, _ body: [UInt8]) -> HTTPFields {
    var fields = proof(request, status, body)
    if let sealed { fields[.init(WharfHeader.sealedHead)!] = sealed.headerText }
    return fields
  }

  /// By which its answer is known.
  private func proof(_ request: Request, _ status: Int, _ body: [UInt8]) -> HTTPFields {
    guard mode != .unproved, let credential, let nonce = request.headers[.init(WharfHeader.nonce)!]
    else { return [:] }
    let proof = AnswerProof.of(
      status: status, head: "", body: body, nonce: nonce, credential: credential)
    return [.init(WharfHeader.proof)!: proof.description]
  }

  fileprivate func admit(_ request: Request) async throws {
    switch mode {
    case .answering, .unproved: break
    case .unauthorized: throw Complaint(status: .unauthorized)
    case .echoing401:
      throw Complaint(
        status: .unauthorized, seen: SeenEcho(position: head.position, hash: head.hash))
    case .removed:
      throw Removal(
        reply: NodeRemovedReply(node: node, position: removedAt ?? head.position, head: head))
    case .failing: throw Complaint(status: .serviceUnavailable)
    case .silent: try await Task.sleep(for: .seconds(60))
    }
    let bearer = request.headers[.authorization]?.dropFirst("Bearer ".count) ?? ""
    guard let credential, Credential(secret: String(bearer)).digest == credential else {
      throw Complaint(status: .unauthorized)
    }
  }

  fileprivate func join(_ request: Request, _ body: [UInt8]) throws -> [UInt8] {
    guard mode == .answering else { throw Complaint(status: .serviceUnavailable) }
    guard request.headers[.authorization] == "Bearer \(joinToken)" else {
      throw Complaint(status: .unauthorized)
    }
    let join = try JoinRequest(jsonBytes: body)
    joins.append(join)
    credential = join.credential
    if lostJoins > 0 {
      lostJoins -= 1
      throw Complaint(status: .badGateway)
    }
    return JoinReply(node: node, head: head).jsonBytes
  }

  fileprivate func nextAssignment(_ request: Request, after: Position) async throws -> [UInt8]? {
    try await admit(request)
    questions += 1
    if !replay.isEmpty { return replay.removeFirst().jsonBytes }
    guard let assignment, assignment.generation > after else { return nil }
    return assignment.jsonBytes
  }

  fileprivate func report(_ request: Request, _ body: [UInt8]) async throws -> [UInt8] {
    try await admit(request)
    reports.append(try Observation(jsonBytes: body))
    wantsReport = false
    return ReportReply(head: head, leaseSeconds: leaseSeconds).jsonBytes
  }

  fileprivate func heartbeat(_ request: Request, _ body: [UInt8]) async throws -> [UInt8] {
    try await admit(request)
    let beat = try Heartbeat(jsonBytes: body)
    heartbeats += 1
    let differs = reports.last.map { $0.digest != beat.digest } ?? true
    return HeartbeatReply(
      head: head, leaseSeconds: leaseSeconds, wantsReport: differs || wantsReport
    )
    .jsonBytes
  }
}

private let firstHead = HeadWitness(era: 1, position: 5, hash: digest(7))

/// The stand-in behind a socket; it can go away and come back on the same port.
struct StandInServer {
  let standIn: StandIn
  let port: Int
  var url: String { "http://127.0.0.1:\(port)" }

  static func use(
    _ standIn: StandIn = StandIn(), port: Int = 0,
    _ test: @escaping @Sendable (StandInServer) async throws -> Void
  ) async throws {
    var log = Logger(label: "stand-in")
    log.logLevel = .critical
    let started = Nudge()
    // The kernel chooses: a port that was found free is another's a moment later.
    let bound = BoundPort(port)
    let application = Application(
      router: routes(standIn), server: .plain(),
      configuration: .init(address: .hostname("127.0.0.1", port: port)),
      onServerRunning: { channel in
        if let port = channel.localAddress?.port { bound.port.withLock { $0 = port } }
        started.nudge()
      }, logger: log)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      group.addTask {
        await started.wait(longestMilliseconds: 3_600_000)
        try await test(StandInServer(standIn: standIn, port: bound.port.withLock { $0 }))
      }
      try await group.next()
      group.cancelAll()
      try? await group.waitForAll()
    }
  }

  private static func routes(_ standIn: StandIn) -> Router<BasicRequestContext> {
    let router = Router()
    @Sendable func body(_ request: Request) async throws -> [UInt8] {
      Array(buffer: try await request.body.collect(upTo: 1 << 20))
    }
    @Sendable func reply(
      _ request: Request, _ make: () async throws -> [UInt8]?
    ) async throws -> Response {
      await standIn.note(request)
      var (status, bytes): (HTTPResponse.Status, [UInt8])
      do {
        let made = try await make()
        (status, bytes) = (made == nil ? .noContent : .ok, made ?? [])
      } catch let removal as StandIn.Removal {
        (status, bytes) = (.gone, removal.reply.jsonBytes)
      }
      return Response(
        status: status, headers: await standIn.fields(request, status.code, bytes),
        body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
    router.post("/v1/agent/join") { request, _ in
      let body = try await body(request)
      return try await reply(request) { try await standIn.join(request, body) }
    }
    router.post("/v1/agent/report") { request, _ in
      let body = try await body(request)
      return try await reply(request) { try await standIn.report(request, body) }
    }
    router.post("/v1/agent/heartbeat") { request, _ in
      let body = try await body(request)
      return try await reply(request) { try await standIn.heartbeat(request, body) }
    }
    router.get("/v1/agent/assignment") { request, _ -> Response in
      let after = Position(text: request.uri.queryParameters["after"] ?? "") ?? .empty
      let seconds = request.uri.queryParameters["wait"].flatMap { Double($0) } ?? 0
      let deadline = ContinuousClock.now + .seconds(seconds)
      return try await reply(request) {
        repeat {
          if let bytes = try await standIn.nextAssignment(request, after: after) { return bytes }
          try await Task.sleep(for: .milliseconds(10))
        } while ContinuousClock.now < deadline
        return nil
      }
    }
    return router
  }
}

/// The port that a server was given.
final class BoundPort: Sendable {
  let port: Mutex<Int>
  init(_ port: Int) { self.port = Mutex(port) }
}
