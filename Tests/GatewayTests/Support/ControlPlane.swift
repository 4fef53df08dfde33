// The control plane's two routes for gateways, over real HTTP: a policy that a test changes, a long
// poll that waits for it, and a record of what was reported as enforced.

import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Wire

final class ControlPlane: Sendable {
  static let credential = "gateway-credential"

  private struct State {
    var policy: PolicyNews {
      didSet { told[policy.position] = policy }
    }
    /// Each that ever was, by its position.
    var told: [Position: PolicyNews] = [:]
    /// All there is is told in pages, a kind of facts on each.
    var tellsPages = false
    var pages = 0
    var isSilent = false
    var enforced: [PolicyEnforced] = []
    var leaseHead: HeadWitness?
    var idleHead: HeadWitness?
    var pulls = 0
    var incarnations: Set<String> = []
    var leases = 0
    var left = 0
    /// Long polls are not answered, nor ended.
    var pollsHang = false
    var sightings: [GatewaySightings] = []
    var knowsSightings = true
    var unknown = 0
    var sealed: SealedHead?
    var shown: SealedHead?
  }
  private let state: Mutex<State>
  /// Called when a report arrives, before it is recorded.
  private let onEnforced: Mutex<(@Sendable (PolicyEnforced) -> Void)?> = Mutex(nil)

  init(_ policy: PolicyNews) {
    state = Mutex(State(policy: policy, told: [policy.position: policy]))
  }

  var tellsPages: Bool {
    get { state.withLock { $0.tellsPages } }
    set { state.withLock { $0.tellsPages = newValue } }
  }
  var pages: Int { state.withLock { $0.pages } }
  /// Forgets what changed up to now: whoever asks for it is told everything.
  func forgetChanges() { state.withLock { $0.told = [:] } }

  var policy: PolicyNews {
    get { state.withLock { $0.policy } }
    set { state.withLock { $0.policy = newValue } }
  }
  /// Refuses every request from now on, or no longer.
  var isSilent: Bool {
    get { state.withLock { $0.isSilent } }
    set { state.withLock { $0.isSilent = newValue } }
  }
  /// What a long poll without news says of the log, where that is not the policy's head.
  var idleHead: HeadWitness? {
    get { state.withLock { $0.idleHead } }
    set { state.withLock { $0.idleHead = newValue } }
  }
  var enforced: [Position] { state.withLock { $0.enforced.map(\.position) } }
  var sightings: [GatewaySightings] { state.withLock { $0.sightings } }
  /// Whether it has the route for them; without it, it is one of before.
  var knowsSightings: Bool {
    get { state.withLock { $0.knowsSightings } }
    set { state.withLock { $0.knowsSightings = newValue } }
  }
  /// Requests to routes that it does not have.
  var unknown: Int { state.withLock { $0.unknown } }
  /// What its answers say is sealed.
  var sealed: SealedHead? {
    get { state.withLock { $0.sealed } }
    set {
      state.withLock { state in
        state.sealed = newValue
        state.shown = nil
      }
    }
  }
  /// What gateways last showed of such.
  var shown: SealedHead? { state.withLock { $0.shown } }
  var pulls: Int { state.withLock { $0.pulls } }
  var leases: Int { state.withLock { $0.leases } }
  var left: Int { state.withLock { $0.left } }
  var incarnations: Set<String> { state.withLock { $0.incarnations } }
  var pollsHang: Bool {
    get { state.withLock { $0.pollsHang } }
    set { state.withLock { $0.pollsHang = newValue } }
  }
  func whenEnforced(_ action: @escaping @Sendable (PolicyEnforced) -> Void) {
    onEnforced.withLock { $0 = action }
  }

  private func respond(_ request: Request) async throws -> Response {
    let name = HTTPField.Name(WharfHeader.sealedHead)!
    if let shown = request.headers[name] {
      state.withLock { $0.shown = SealedHead(headerText: shown) }
    }
    var response = try await answer(request)
    if let sealed { response.headers[name] = sealed.headerText }
    return response
  }

  private func answer(_ request: Request) async throws -> Response {
    guard request.headers[.authorization] == "Bearer \(Self.credential)" else {
      return Response(status: .unauthorized)
    }
    if isSilent { return Response(status: .serviceUnavailable) }
    if let incarnation = request.uri.queryParameters["incarnation"] {
      state.withLock { _ = $0.incarnations.insert(String(incarnation)) }
    }
    switch (request.method, request.uri.path) {
    case (.get, "/v1/gateway/policy"): return try await pull(request)
    case (.post, "/v1/gateway/enforced"):
      let body = try await request.body.collect(upTo: 1 << 16)
      let report = try PolicyEnforced(jsonBytes: Array(body.readableBytesView))
      onEnforced.withLock { $0 }?(report)
      let lease = state.withLock { state in
        state.enforced.append(report)
        return PolicyLease(
          head: state.leaseHead ?? state.policy.head, leaseSeconds: state.policy.leaseSeconds)
      }
      return json(lease.jsonBytes)
    case (.post, "/v1/gateway/lease"):
      let lease = state.withLock { state in
        state.leases += 1
        return PolicyLease(
          head: state.idleHead ?? state.policy.head, leaseSeconds: state.policy.leaseSeconds)
      }
      return json(lease.jsonBytes)
    case (.post, "/v1/gateway/left"):
      state.withLock { $0.left += 1 }
      return Response(status: .noContent)
    case (.post, "/v1/gateway/sightings") where knowsSightings:
      let body = try await request.body.collect(upTo: 1 << 20)
      let seen = try GatewaySightings(jsonBytes: Array(body.readableBytesView))
      state.withLock { $0.sightings.append(seen) }
      return Response(status: .noContent)
    default:
      state.withLock { $0.unknown += 1 }
      return Response(status: .notFound)
    }
  }

  private func pull(_ request: Request) async throws -> Response {
    state.withLock { $0.pulls += 1 }
    let after = request.uri.queryParameters["after"].flatMap { Position(text: $0) }
    let wait = request.uri.queryParameters["wait"].flatMap { Double($0) }
    let deadline = ContinuousClock.now + .seconds(wait ?? 0)
    while true {
      let policy = self.policy
      if let page = request.uri.queryParameters["page"] {
        state.withLock { $0.pages += 1 }
        return json(policy.page(Int(page) ?? 0).jsonBytes)
      }
      guard let after, let known = state.withLock({ $0.told[after] }) else {
        return json((tellsPages ? policy.page(0) : policy).jsonBytes)
      }
      while pollsHang { try await Task.sleep(for: .milliseconds(5)) }
      if policy.position > after || wait == nil { return json(policy.since(known).jsonBytes) }
      if isSilent { return Response(status: .serviceUnavailable) }
      if ContinuousClock.now >= deadline {
        let head = idleHead ?? policy.head
        return Response(
          status: .noContent, headers: [HTTPField.Name(WharfHeader.head)!: head.headerText])
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private func json(_ bytes: [UInt8]) -> Response {
    Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// Serves at a free port, which the body is given, while it runs.
  func serving<Value: Sendable>(
    _ body: @escaping @Sendable (Int) async throws -> Value
  ) async throws -> Value {
    try await withPort { onRunning in
      let responder = CallbackResponder<BasicRequestContext> { [self] request, _ in
        try await respond(request)
      }
      try await Application(
        responder: responder, server: .plain(),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { await onRunning($0.localAddress!.port!) }, logger: quiet
      ).run()
    } body: { port in
      try await body(port)
    }
  }
}

var quiet: Logger {
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  return logger
}

private struct ServerOfTest: Service {
  let serve: @Sendable () async throws -> Void
  func run() async throws { try await serve() }
}

/// Runs a server and, once it tells its port, the body; ends the server when the body has. It is stopped in
/// order: a server that is cancelled while it takes a connection in ends the whole process.
func withPort<Value: Sendable>(
  _ server: @escaping @Sendable (@escaping @Sendable (Int) async -> Void) async throws -> Void,
  body: @escaping @Sendable (Int) async throws -> Value
) async throws -> Value {
  let (ports, found) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingOldest(1))
  let service = ServerOfTest {
    defer { found.finish() }
    try await server { found.yield($0) }
  }
  var configuration = ServiceGroupConfiguration(
    services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
    logger: quiet)
  // Who polls is not waited for.
  configuration.maximumGracefulShutdownDuration = .milliseconds(200)
  let group = ServiceGroup(configuration: configuration)
  async let running: Void = group.run()
  let result: Result<Value, any Error>
  do {
    var port: Int?
    for await found in ports {
      port = found
      break
    }
    guard let port else { throw CancellationError() }
    result = .success(try await body(port))
  } catch { result = .failure(error) }
  await group.triggerGracefulShutdown()
  _ = try? await running
  return try result.get()
}
