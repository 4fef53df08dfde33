// What gateways ask and tell: the policy by long-poll, with their lease; and from which position on
// they enforce it. `GET /v1/gateways/enforced` says so to people.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import ServiceLifecycle
import Wire

struct GatewayRoutes: Sendable {
  static let longestWaitSeconds = 60

  let member: LogMember
  let source: ReadSource
  let signals: SignalBook
  let policies: Policies
  let forwarding: Forwarding

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("gateway/policy") { request, _ in try await policy(request) }
    routes.post("gateway/enforced") { request, _ in try await enforced(request) }
    routes.get("gateways/enforced") { request, _ in try await enforcement(request) }
  }

  private func gateway(_ principal: Principal, _ state: HostingState) throws -> Gateway {
    guard principal.role == .gateway, case .of(let stream) = principal.actor,
      let gateway = state.gateways[ID(stream.origin)]
    else { throw APIError(.forbidden, "notAllowed", "this is for gateways") }
    return gateway
  }

  private func policy(_ request: Request) async throws -> Response {
    let after = Position(Int64(try request.wholeNumber("after") ?? 0))
    let wait = min(try request.wholeNumber("wait") ?? 0, Self.longestWaitSeconds)
    let deadline = ContinuousClock.now + .seconds(wait)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send([], request, to: address, waitSeconds: wait)
    }
    var head = try await source.head(atLeast: after)
    let principal = try await source.principal(of: request, &head)
    while true {
      let gateway = try gateway(principal, head.state)
      let policy = policies.policy(at: head, past: after)
      if policy.position > after {
        try lease(gateway, enforcing: after, head)
        return .json(policy.jsonBytes, head: head)
      }
      let left = deadline - ContinuousClock.now
      guard left > .zero, !Task.isShuttingDownGracefully, !Task.isCancelled else {
        try lease(gateway, enforcing: after, head)
        return .nothingNew(head: member.board.current)
      }
      await member.board.pause(after: head.state.position, upTo: left)
      head = member.board.current
    }
  }

  /// A gateway asks only once it enforces what it has: so much is known of it, also by a new leader.
  private func lease(_ gateway: Gateway, enforcing position: Position, _ head: Head) throws {
    try forwarding.requireLead(head)
    signals.leased(gateway.id, enforcing: position, at: ContinuousClock.now)
  }

  private func enforced(_ request: Request) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send(body, request, to: address)
    }
    let report: PolicyEnforced
    do { report = try PolicyEnforced(jsonBytes: body) } catch {
      throw APIError.malformed("the gateway's report", error)
    }
    let head = try await source.head(atLeast: report.position)
    let principal = try source.authentication.principal(of: request, in: head.state)
    let gateway = try gateway(principal, head.state)
    try forwarding.requireLead(head)
    signals.enforced(
      gateway.id, report.position, address: report.address, at: ContinuousClock.now)
    return .json(
      PolicyLease(head: head.witness, leaseSeconds: Policies.leaseSeconds).jsonBytes, head: head)
  }

  /// For each gateway the position that it enforces, and how long it may still serve unheard.
  private func enforcement(_ request: Request) async throws -> Response {
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send([], request, to: address)
    }
    let context = try await source.context(request)
    let now = ContinuousClock.now
    let items = context.state.gateways.sorted.map { gateway -> EnforcementItem in
      let signal = signals.gateway(gateway.id)
      let since = signal?.heardAt ?? signals.hearingSince ?? now
      let left = Double(Policies.leaseSeconds) - (now - since).seconds
      return EnforcementItem(
        gateway: gateway.name, enforced: signal?.enforced, leaseSeconds: max(0, left))
    }
    return .json(
      ItemsReply(position: context.state.position, items: items).jsonBytes, head: context.head)
  }
}

extension Response {
  /// A long-poll that ended without news: the head says how far it looked.
  static func nothingNew(head: Head) -> Response {
    var headers: HTTPFields = [:]
    if let name = HTTPField.Name(WharfHeader.head) { headers[name] = head.witness.headerText }
    return Response(status: .noContent, headers: headers)
  }
}
