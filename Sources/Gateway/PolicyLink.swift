// The gateway's line to the control plane: pulls the policy, applies it, reports that it is enforced.
// Strictly one request after another, so answers never overtake each other.
//
//   pulling ──newer policy──► applying ──all it ends has ended──► reporting ──► pulling
//     └ no news: pulling again; a server fails: the next one, after a pause
//
// 1. A lease counts from when the acknowledged request was sent, on the monotonic clock.
// 2. A position is reported only once nothing is answered any more that its policy refuses.
// 3. The policy is kept in memory only: it holds secrets.

import AsyncHTTPClient
import Hosting
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Wire

package final class PolicyLink: Service {
  private let gate: Gate
  private let metrics: GatewayMetrics
  private let client: HTTPClient
  private let servers: [String]
  private let credentialFile: String
  private let address: String
  private let memory: HeadMemory?
  private let logger: Logger
  private var limits: GatewayLimits { gate.limits }

  init(
    gate: Gate, metrics: GatewayMetrics, client: HTTPClient, servers: [String],
    credentialFile: String, address: String, memory: HeadMemory?, logger: Logger
  ) {
    precondition(!servers.isEmpty, "a gateway needs a server to ask")
    self.gate = gate
    self.metrics = metrics
    self.client = client
    self.servers = servers
    self.credentialFile = credentialFile
    self.address = address
    self.memory = memory
    self.logger = logger
  }

  private struct State {
    var progress = PolicyProgress()
    var leaseSeconds: Int?
    /// The last position that the control plane knows to be enforced.
    var reported: Position?
    var server = 0
    var failures = 0
  }

  package func run() async throws {
    await cancelWhenGracefulShutdown { [self] in
      var state = State()
      state.progress = PolicyProgress(witness: memory?.head)
      while !Task.isCancelled {
        do {
          try await step(&state)
          state.failures = 0
        } catch is CancellationError {
          return
        } catch {
          await pause(&state, after: error)
        }
      }
    }
  }

  private func step(_ state: inout State) async throws {
    if let applied = state.progress.applied, state.reported != applied {
      try await gate.waitUntilCut()
      try await report(applied, &state)
    } else {
      try await pull(&state)
    }
  }

  // MARK: Pulling

  private func pull(_ state: inout State) async throws {
    let wait = min(limits.policyWaitSeconds, max(1, (state.leaseSeconds ?? .max) / 3))
    let after = state.progress.applied.map { "after=\($0)&" } ?? ""
    let sentAt = gate.clock.uptime
    let (response, body) = try await send(
      .GET, "/v1/gateway/policy?\(after)wait=\(wait)", nil, state,
      timeoutSeconds: Int64(wait) + limits.controlPlaneReplySeconds)
    switch response.status.code {
    case 200: try take(read(Policy.self, body), Self.echo(response), sentAt: sentAt, &state)
    case 204:
      guard try hear(response, &state) else {
        throw LinkError.behind("it knows less than was seen")
      }
      if let seconds = state.leaseSeconds { gate.renewLease(sentAt: sentAt, seconds: seconds) }
    default:
      _ = try hear(response, &state)
      throw LinkError.refused(status: Int(response.status.code))
    }
  }

  /// The head of an answer without a policy: one that contradicts what was seen is no less an alarm.
  ///
  /// - Returns: whether it is of someone who knows no less than was seen.
  private func hear(_ response: HTTPClientResponse, _ state: inout State) throws -> Bool {
    guard
      let head = response.headers.first(name: WharfHeader.head)
        .flatMap({ HeadWitness(headerText: $0) })
    else { return false }
    switch state.progress.judge(head, Self.echo(response)) {
    case .apply, .renew:
      memory?.keep(state.progress.witness, logger)
      return true
    case .ignore: return false
    case .alarm(let reason): throw LinkError.contradiction(reason)
    }
  }

  private static func echo(_ response: HTTPClientResponse) -> SeenEcho? {
    response.headers.first(name: WharfHeader.seen).flatMap { SeenEcho(headerText: $0) }
  }

  private func take(
    _ policy: Policy, _ echo: SeenEcho?, sentAt: Duration, _ state: inout State
  ) throws {
    let verdict = state.progress.judge(policy, echo)
    memory?.keep(state.progress.witness, logger)
    switch verdict {
    case .apply:
      state.leaseSeconds = policy.leaseSeconds
      gate.apply(PolicyIndex(policy))
      gate.renewLease(sentAt: sentAt, seconds: policy.leaseSeconds)
      logger.info("applied the policy", metadata: ["position": "\(policy.position)"])
    case .renew: gate.renewLease(sentAt: sentAt, seconds: policy.leaseSeconds)
    case .ignore(let reason): throw LinkError.behind(reason)
    case .alarm(let reason): throw LinkError.contradiction(reason)
    }
  }

  // MARK: Reporting

  private func report(_ position: Position, _ state: inout State) async throws {
    let sentAt = gate.clock.uptime
    let (response, body) = try await send(
      .POST, "/v1/gateway/enforced",
      PolicyEnforced(position: position, address: address).jsonBytes, state,
      timeoutSeconds: limits.controlPlaneReplySeconds)
    guard response.status.code == 200 else {
      _ = try hear(response, &state)
      throw LinkError.refused(status: Int(response.status.code))
    }
    let lease = try read(PolicyLease.self, body)
    let verdict = state.progress.judge(lease.head, Self.echo(response))
    memory?.keep(state.progress.witness, logger)
    switch verdict {
    case .apply, .renew:
      state.reported = position
      state.leaseSeconds = lease.leaseSeconds
      gate.renewLease(sentAt: sentAt, seconds: lease.leaseSeconds)
    case .ignore(let reason): throw LinkError.behind(reason)
    case .alarm(let reason): throw LinkError.contradiction(reason)
    }
  }

  // MARK: Sending

  private func send(
    _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, _ state: State,
    timeoutSeconds: Int64
  ) async throws -> (HTTPClientResponse, ByteBuffer) {
    // Read anew each time, so that a renewed credential is taken up.
    let credential = try Credential(file: credentialFile)
    var request = HTTPClientRequest(url: servers[state.server] + path)
    request.method = method
    request.headers.add(name: "authorization", value: "Bearer \(credential.secret)")
    if let seen = state.progress.witness {
      request.headers.add(name: WharfHeader.seen, value: seen.headerText)
    }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let whole = request
    return try await within(milliseconds: timeoutSeconds * 1_000) { [client, limits] in
      let response = try await client.execute(
        whole, deadline: .now() + .seconds(timeoutSeconds))
      return (response, try await response.body.collect(upTo: limits.policyBytes))
    }
  }

  private func read<T: Decodable>(_ type: T.Type, _ body: ByteBuffer) throws -> T {
    try JSONDecoding.read(
      type, from: JSONValue(document: Array(body.readableBytesView)), strict: false)
  }

  private func pause(_ state: inout State, after error: any Error) async {
    if case LinkError.contradiction = error {
      metrics.countAlarm()
      logger.critical("\(error)", metadata: ["server": "\(servers[state.server])"])
    } else {
      logger.warning(
        "asking the control plane failed: \(error)",
        metadata: ["server": "\(servers[state.server])"])
    }
    state.server = (state.server + 1) % servers.count
    let ceiling = min(
      limits.retryCeilingMilliseconds, limits.retryFloorMilliseconds << min(state.failures, 10))
    state.failures += 1
    let milliseconds = Int.random(in: ceiling / 2...ceiling)
    try? await Task.sleep(for: .milliseconds(milliseconds))
  }
}

private enum LinkError: Error, CustomStringConvertible {
  case refused(status: Int)
  case behind(String)
  case contradiction(String)

  var description: String {
    switch self {
    case .refused(401), .refused(403):
      "it refused this gateway's credential: see that the file holds the one that was registered"
    case .refused(let status): "it answered with status \(status)"
    case .behind(let reason): "its answer was passed over: \(reason)"
    case .contradiction(let reason): "ALARM, this gateway takes nothing more from it: \(reason)"
    }
  }
}
