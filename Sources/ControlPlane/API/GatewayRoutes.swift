// What gateways ask and tell: the policy by long-poll, their leases, and from which position on they
// enforce it. `GET /v1/gateways/enforced` says so to people, and `GET /v1/teams/TEAM/limits` what gateways
// said that teams used. A process is made known to the log before it
// gets its first lease.

import EventLog
import HTTPTypes
import HashTreeCollections
import Hosting
import Hummingbird
import ServiceLifecycle
import Time
import Wire

struct GatewayRoutes: Sendable {
  static let longestWaitSeconds = 60
  /// What a process that says nothing of itself, of an older program, is called.
  static let unnamed = "unnamed"

  let member: LogMember
  let source: ReadSource
  let book: GatewayBook
  let policies: PolicyBook
  let olderPolicies: OlderPolicies
  let changes: ChangeBoard
  let forwarding: Forwarding

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("gateway/policy") { request, _ in try await policy(request) }
    routes.post("gateway/enforced") { request, _ in try await enforced(request) }
    routes.post("gateway/lease") { request, _ in try await lease(request) }
    routes.post("gateway/left") { request, _ in try await left(request) }
    routes.get("teams/:name/limits") { request, context in
      try await limits(request, PathText.decoded(context.parameters.require("name")))
    }
    routes.get("gateways/enforced") { request, _ in try await enforcement(request) }
  }

  // MARK: Who asks

  /// A process of a gateway.
  struct Caller {
    let principal: Principal
    let gateway: ID<Gateway>
    let name: Name
    let incarnation: String
    let address: String
    /// The incarnation before it, which it knows to be gone.
    let replaces: String?
    var key: GatewayBook.Key { .init(gateway: gateway, incarnation: incarnation) }
  }

  func caller(_ request: Request, _ head: inout Head) async throws -> Caller {
    let principal: Principal
    do {
      principal = try await source.principal(of: request, &head)
    } catch let error as APIError where error.failure.code == Authentication.unknownToken {
      throw removed(request, head) ?? error
    }
    guard principal.role == .gateway, case .of(let stream) = principal.actor,
      let gateway = head.state.gateways[ID(stream.origin)]
    else {
      throw APIError.notFor(
        principal.role, request, "gateways", help: "ask with a gateway's credential")
    }
    return Caller(
      principal: principal, gateway: gateway.id, name: gateway.name,
      incarnation: try name(request, "incarnation", GatewayProcess.longestIncarnation)
        ?? Self.unnamed,
      address: try name(request, "address", GatewayProcess.longestAddress) ?? Self.unnamed,
      replaces: try name(request, "replaces", GatewayProcess.longestIncarnation))
  }

  private func name(_ request: Request, _ key: String, _ longest: Int) throws -> String? {
    guard let text = request.uri.queryParameters[Substring(key)].map(String.init) else {
      return nil
    }
    guard GatewayProcess.isWellFormed(text, longest: longest) else {
      throw APIError.badParameter(
        key, text, wanted: "1 to \(longest) letters, digits, dots, colons, dashes")
    }
    return text
  }

  /// A process that presents the credential of a gateway that was removed is told so: a word that nobody in
  /// between can say, who does not have the credential.
  private func removed(_ request: Request, _ head: Head) -> APIError? {
    guard let process = head.state.removedProcesses(of: request).first else { return nil }
    return APIError(
      .gone, LeaseRefusal.gatewayRemoved, "gateway \(process.name) was removed",
      help: "stop it; to serve again: wharf gateway register NAME", head: head)
  }

  /// The head and the epoch that this wharfd leads in; what is given out is made from nothing older.
  func leading(_ head: Head) throws -> (head: Head, epoch: Position) {
    try forwarding.requireLead(head)
    guard case .leading(let epoch) = member.board.current.standing else {
      throw APIError(SubmitFailure.notLeading(address: nil))
    }
    return (head.state.position < epoch ? member.board.current : head, epoch)
  }

  /// The process of a caller as the log names it, which may be made known here; none on a log that
  /// cannot name it. One that serves nothing any more is made known anew: the event that says so of the
  /// one before may be under way.
  func process(
    _ caller: Caller, _ head: inout Head, _ epoch: Position
  ) async throws -> GatewayProcess? {
    guard head.state.log.formatLevel >= FormatLevel.kept else { return nil }
    let known = head.state.process(of: caller.gateway, incarnation: caller.incarnation)
    var replaces = caller.replaces
    if let known {
      guard book.isSilent(known, in: head.state, epoch: epoch, at: member.clocks.now) else {
        return known
      }
      replaces = caller.incarnation
    }
    do {
      let receipt = try await member.submit(
        CommandRequest(
          id: member.clocks.makeCommandID(),
          command: StartGatewayProcess(
            incarnation: caller.incarnation, address: caller.address, replaces: replaces),
          principal: caller.principal))
      head = try await source.head(atLeast: receipt.position)
    } catch let failure as SubmitFailure {
      throw APIError(failure)
    }
    return head.state.process(of: caller.gateway, incarnation: caller.incarnation)
  }

  func give(
    _ caller: Caller, _ process: GatewayProcess?, enforcing position: Position,
    serving: [AttemptID]? = nil, withPolicy: Bool = false, _ head: Head, _ epoch: Position
  ) throws -> GatewayBook.Given {
    // The lead is asked for once more, since making the process known may have taken long.
    try forwarding.requireLead(head)
    let wish = GatewayBook.Wish(
      key: caller.key, name: caller.name, process: process?.id, address: caller.address,
      enforcing: position, serving: serving, withPolicy: withPolicy)
    return book.give(wish, from: head, epoch: epoch, at: member.clocks.now)
  }

  // MARK: What they ask

  private func enforced(_ request: Request) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send(body, request, to: address)
    }
    let report: PolicyEnforced
    do {
      // Leniently, as below.
      report = try JSONDecoding.read(
        PolicyEnforced.self, from: JSONValue(document: body), strict: false)
    } catch {
      throw APIError.malformed("the gateway's report", error)
    }
    return try await renew(request, enforcing: report.position, serving: report.serving ?? [])
  }

  private func lease(_ request: Request) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send(body, request, to: address)
    }
    let call = try call(body)
    return try await renew(
      request, enforcing: call.enforced ?? .empty, serving: call.serving ?? [],
      handingOut: .init(report: call.shares))
  }

  /// Read leniently: a newer gateway may ask for more with its lease.
  private func call(_ body: [UInt8]) throws -> LeaseCall {
    let call: LeaseCall
    do {
      call = try JSONDecoding.read(LeaseCall.self, from: JSONValue(document: body), strict: false)
    } catch {
      throw APIError.malformed("the gateway's request for a lease", error)
    }
    guard call.shares?.isWellFormed ?? true else {
      throw APIError(
        .badRequest, "sharesOutOfRange",
        "cannot take in what this process says of limits: no number is below 0, no part is more than the "
          + "whole, and at most \(ShareReport.itemsLimit) limits are named",
        help: "use the wharf-gateway of the same release as the wharfd")
    }
    return call
  }

  func policyNeeded(_ head: Head) -> APIError {
    APIError(
      .conflict, LeaseRefusal.policyNeeded,
      "the lease and the grace of this process are over: what it enforces may be of the past",
      help: "ask for the policy anew, without 'wait'", head: head)
  }

  /// What is handed out with a lease that was asked for by itself.
  private struct HandingOut {
    /// What the process said of limits; nothing, where it holds to whole ones by itself.
    let report: ShareReport?
  }

  private func renew(
    _ request: Request, enforcing position: Position, serving: [AttemptID],
    handingOut: HandingOut? = nil
  ) async throws -> Response {
    var head = try await source.head(atLeast: position)
    let caller = try await caller(request, &head)
    var epoch: Position
    (head, epoch) = try leading(head)
    let process = try await process(caller, &head, epoch)
    guard try give(caller, process, enforcing: position, serving: serving, head, epoch) == .given
    else {
      throw policyNeeded(head)
    }
    // After the lease: what is given counts for no longer than that.
    let shares = handingOut.flatMap { asked in
      process.flatMap {
        book.shares(
          for: asked.report, of: $0.id, from: head, epoch: epoch, at: member.clocks.now)
      }
    }
    return .json(
      PolicyLease(
        head: head.witness, leaseSeconds: Leases.policySeconds,
        time: head.time(at: member.clocks.now), shares: shares
      ).jsonBytes, head: head)
  }

  /// A process has answered its last request.
  private func left(_ request: Request) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send(body, request, to: address)
    }
    let shares = try call(body).shares
    var head = try await source.head(atLeast: .empty)
    // A process of a removed gateway says it too, and nobody who waits for it need wait any longer.
    let incarnation = try name(request, "incarnation", GatewayProcess.longestIncarnation)
    let removed = head.state.removedProcesses(of: request).filter { $0.incarnation == incarnation }
    for process in removed {
      note(shares, of: process, try leading(head).epoch)
      try await leave(process, .wharfd)
    }
    do {
      let caller = try await caller(request, &head)
      let epoch: Position
      (head, epoch) = try leading(head)
      if let known = head.state.process(of: caller.gateway, incarnation: caller.incarnation) {
        note(shares, of: known, epoch)
        try await leave(known, caller.principal)
      }
    } catch let error as APIError
      where !removed.isEmpty && [.gone, .unauthorized].contains(error.status)
    {
      // It was heard. Its credential is good for more only where it was registered anew.
    }
    return .nothingNew(head: member.board.current)
  }

  private func note(_ shares: ShareReport?, of process: GatewayProcess, _ epoch: Position) {
    guard let shares else { return }
    book.noteLast(shares, of: process.id, epoch: epoch, at: member.clocks.now)
  }

  private func leave(_ process: GatewayProcess, _ principal: Principal) async throws {
    do {
      _ = try await member.submit(
        CommandRequest(
          id: member.clocks.makeCommandID(), command: StopGatewayProcess(process: process.id),
          principal: principal))
    } catch {
      throw APIError(error)
    }
  }

  // MARK: What people ask

  /// For each process the position that it enforces, and how long it may still serve unheard. With `wait`
  /// the answer is held until all enforce what was asked or serve no more, for so many seconds at most.
  private func enforcement(_ request: Request) async throws -> Response {
    let wait = min(try request.wholeNumber("wait") ?? 0, Self.longestWaitSeconds)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send([], request, to: address, waitSeconds: wait)
    }
    let asked = Position(Int64(try request.wholeNumber("position") ?? 0))
    _ = try await source.context(request)
    let began = member.clocks.now
    while true {
      let (head, epoch) = try leading(try await source.head(atLeast: asked))
      let items = try standing(in: head, asked, epoch)
      let elapsed = member.clocks.now - began
      if elapsed >= .seconds(wait) || items.allSatisfy({ $0.holds(asked) })
        || Task.isShuttingDownGracefully || Task.isCancelled
      {
        return .json(
          ItemsReply(position: head.state.position, items: items).jsonBytes, head: head)
      }
      // What gateways say, and that a lease has run out, stands in no log.
      try? await member.clocks.sleep(
        for: min(Self.look(after: elapsed), .seconds(wait) - elapsed))
    }
  }

  /// Gateways take milliseconds at first; one that has taken long will take longer.
  private static let looksMilliseconds = 5...250
  private static let lookShare = 10

  private static func look(after elapsed: Duration) -> Duration {
    max(
      .milliseconds(looksMilliseconds.lowerBound),
      min(elapsed / lookShare, .milliseconds(looksMilliseconds.upperBound)))
  }

  private func standing(
    in head: Head, _ asked: Position, _ epoch: Position
  ) throws -> [EnforcementItem] {
    guard let touchedAt = member.touchedAt else {
      throw APIError(SubmitFailure.notLeading(address: nil))
    }
    let present = member.clocks.now
    note(policyAt: head, epoch)
    return book.standing(in: head, asked: asked, epoch: epoch, asOf: touchedAt, at: present)
  }
}

extension GatewayRoutes {
  /// What is left of a team's limits, by what gateways said with their last leases.
  fileprivate func limits(_ request: Request, _ name: String) async throws -> Response {
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send([], request, to: address)
    }
    let context = try await source.context(request)
    guard let team = Shelves.team(name, context.view) else {
      throw APIError(.unknown(.team, name), at: context.state.position)
    }
    let (head, epoch) = try leading(context.head)
    let limits = team.limits
    let use = book.use(of: limits.map(\.id), in: head, epoch: epoch, at: member.clocks.now)
    let items = zip(limits, use).map { limit, use in
      LimitItem(
        model: limit.id.model.map { context.view.modelName(ID($0.origin)) }, kind: limit.id.kind,
        perMinute: limit.perMinute, used: use.used, owed: use.owed, ageSeconds: use.ageSeconds)
    }
    return .json(
      ItemsReply(position: head.state.position, items: items).jsonBytes, head: context.head)
  }
}

extension Team {
  /// Its own limits, then those of its grants.
  fileprivate var limits: [(id: LimitID, perMinute: Int)] {
    let quotas = [(nil, quota)] + grants.sorted { $0.key < $1.key }.map { ($0, $1.quota) }
    return quotas.flatMap { (model: ID<Model>?, quota: Quota) in
      [(LimitID.Kind.requests, quota.requestsPerMinute), (.tokens, quota.tokensPerMinute)]
        .compactMap { kind, limit in
          limit.map { (LimitID(team: id.stream, model: model?.stream, kind: kind), $0) }
        }
    }
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
