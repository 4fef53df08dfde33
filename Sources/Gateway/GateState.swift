// What the gateway knows and what it is answering, as one value. Deciding on a request and counting
// it as in flight is one step, and so is taking a new policy and naming what it ends: no request can
// slip between. Pure; `Gate` holds it behind a lock and performs what it returns.
//
// A request in flight: admitted → (moved to another replica)* → finished. It may be named once in a
// cut, and is in flight still until it is finished.

import Hosting
import Wire

struct GateState: Sendable {
  typealias RequestID = UInt64

  struct Request: Sendable {
    let keyDigest: Digest
    let team: Stream
    let model: Stream
    let modelName: String
    let asked: String
    /// What is set aside of limits for it.
    let reservation: QuotaBook.Reservation
    /// The policy that let it through.
    let position: Position
    var attempt: AttemptID
    var tried: Set<AttemptID>
    /// When its replica was asked.
    var askedAt: Duration
    var isCut = false
  }

  struct Admission: Sendable {
    let id: RequestID
    let route: PolicyRoute
    let position: Position
    let team: Stream
    let modelName: String
    let quota: QuotaReading
    /// What prompt and answers can take together.
    let mostTokens: Int
  }

  /// A request that must not go on, and what its client is told.
  struct Cut: Sendable, Equatable {
    let id: RequestID
    let denial: Denial
  }

  let limits: GatewayLimits
  private(set) var index: PolicyIndex?
  private var isStopped = false
  /// What is past by the log is past, though the clock here may be behind.
  private var logTime = Timestamp(microseconds: 0)
  private var leaseEnds: Duration?
  private var quotas = QuotaBook()
  private var routes: RouteBook
  private(set) var inFlight: [RequestID: Request] = [:]
  private var nextID: RequestID = 1

  init(limits: GatewayLimits) {
    self.limits = limits
    routes = RouteBook(limits: limits)
  }

  // MARK: Dates

  /// The control plane said what time it is, of the log's.
  mutating func note(time: Timestamp) { logTime = max(logTime, time) }

  /// By this dates are judged.
  func date(_ now: Moment) -> Timestamp { max(now.date, logTime) }

  // MARK: Lease, grace and policy
  //
  //   no policy ──policy──▶ in lease ──its end──▶ in grace ──its end──▶ over
  //                            ▲    ◀──lease──────┘                       │
  //                            └──────────────policy, asked for anew──────┘
  //
  // Once over, a lease alone brings nothing back: the leader may have told somebody that what this policy
  // allows is served no more.

  func leaseLeft(_ now: Duration) -> Duration {
    guard index != nil, let leaseEnds else { return .zero }
    return max(.zero, leaseEnds - now)
  }

  /// How much longer anything is answered, if nothing is heard.
  func servingLeft(_ now: Duration) -> Duration {
    guard let index, let leaseEnds else { return .zero }
    return max(.zero, leaseEnds + .seconds(index.graceSeconds) - now)
  }

  /// Whether anything is answered. It ends a sweep before its time, since a sweep ends what runs: so none
  /// is let in that the next sweep would have to cut, while an engine works on it.
  func mayServe(_ now: Duration) -> Bool {
    servingLeft(now) > .milliseconds(limits.sweepMilliseconds)
  }

  /// The control plane acknowledged a request that was sent at `sentAt`. What was promised longest counts:
  /// answers may come in another order than they were asked for.
  ///
  /// - Parameter withPolicy: the answer held the policy in force, which is applied already.
  /// - Returns: whether it counts.
  mutating func renewLease(sentAt: Duration, seconds: Int, withPolicy: Bool, now: Duration) -> Bool
  {
    let end = sentAt + .seconds(seconds)
    if mayServe(now) {
      leaseEnds = max(leaseEnds ?? end, end)
      return true
    }
    guard withPolicy else { return false }
    leaseEnds = end
    return true
  }

  /// Nothing may be answered any more: the gateway was removed, or stops.
  mutating func endLease(now: Moment) -> [Cut] {
    leaseEnds = nil
    return sweep(now: now)
  }

  /// The gateway stops, and has waited long enough for what runs.
  mutating func endDrain() -> [Cut] {
    isStopped = true
    return cut { _ in .gatewayStopping }
  }

  /// Takes a policy. From here on everything is decided by it; what is in flight and would now be
  /// refused is returned.
  ///
  /// - Parameter dropped: replicas that it has no route to any more; none, where that is not known.
  mutating func apply(
    _ index: PolicyIndex, dropped: Set<AttemptID>? = nil, now: Moment
  ) -> [Cut] {
    quotas.follow(index, isFirst: self.index == nil)
    self.index = index
    routes.retain(index, dropped: dropped)
    return cutEnded(by: index, now)
  }

  /// What must end because time has passed: key or grant ran out, or the right to serve.
  mutating func sweep(now: Moment) -> [Cut] {
    guard let index, mayServe(now.uptime) else { return cut { _ in .noLease } }
    return cutEnded(by: index, now)
  }

  private mutating func cutEnded(by index: PolicyIndex, _ now: Moment) -> [Cut] {
    let date = date(now)
    return cut {
      index.ended(keyDigest: $0.keyDigest, model: $0.model, named: $0.asked, now: date)
    }
  }

  private mutating func cut(_ reason: (Request) -> Denial?) -> [Cut] {
    var cuts: [Cut] = []
    for (id, request) in inFlight where !request.isCut {
      guard let denial = reason(request) else { continue }
      inFlight[id]?.isCut = true
      cuts.append(Cut(id: id, denial: denial))
    }
    return cuts
  }

  /// Whether anything that was cut is still being answered.
  var isCutting: Bool { inFlight.values.contains { $0.isCut } }

  // MARK: Shares of limits

  /// Whether this gateway has its part of limits; where they are not shared, all of them.
  var hasShares: Bool { quotas.shares.isReady }
  var wantsShares: Bool { quotas.shares.wants }

  mutating func shareReport(now: Duration) -> ShareReport? { quotas.report(now: now) }
  mutating func take(_ answer: ShareAnswer, era: Position) { quotas.take(answer, era: era) }

  // MARK: Requests

  /// Whose key it is, before the body is read.
  func team(of keyDigest: Digest?, now: Moment) throws(Denial) -> PolicyIndex.Team {
    guard !isStopped else { throw .gatewayStopping }
    guard let index, mayServe(now.uptime) else { throw .noLease }
    return try index.team(of: keyDigest, now: date(now))
  }

  mutating func admit(
    keyDigest: Digest, model asked: String, at endpoint: Endpoint = .chat, wish: TokenWish,
    now: Moment
  ) -> Result<Admission, Rejection> {
    guard !isStopped else { return .failure(Rejection(denial: .gatewayStopping)) }
    guard let index else { return .failure(Rejection(denial: .noLease)) }
    let lease = mayServe(now.uptime)
    switch index.decide(
      keyDigest: keyDigest, model: asked, at: endpoint, now: date(now), lease: lease)
    {
    case .refuse(let denial): return .failure(Rejection(denial: denial))
    case .serve(let permission):
      return admit(permission, keyDigest, asked, endpoint, wish, index.position, now)
    }
  }

  private mutating func admit(
    _ permission: Permission, _ keyDigest: Digest, _ asked: String, _ endpoint: Endpoint,
    _ wish: TokenWish, _ position: Position, _ now: Moment
  ) -> Result<Admission, Rejection> {
    let (team, model) = (permission.team.id, permission.model)
    guard inFlight.count < limits.requestsInFlight else {
      return .failure(Rejection(denial: .overloaded, team: team, modelName: model.name))
    }
    let quota: QuotaBook.Admitted
    switch quotas.admit(permission, wish, now: now.uptime) {
    case .failure(let exceeded):
      return .failure(
        Rejection(
          denial: exceeded.denial, team: team, modelName: model.name, quota: exceeded.reading))
    case .success(let admitted): quota = admitted
    }
    guard let route = routes.choose(among: permission.routes, except: [], now: now.uptime) else {
      preconditionFailure("a permission names at least one route")
    }
    let id = nextID
    nextID += 1
    inFlight[id] = Request(
      keyDigest: keyDigest, team: team, model: model.id, modelName: model.name, asked: asked,
      reservation: quota.reservation, position: position, attempt: route.attempt,
      tried: [route.attempt], askedAt: now.uptime)
    return .success(
      Admission(
        id: id, route: route, position: position, team: team, modelName: model.name,
        quota: quota.reading,
        mostTokens: wish.mostTokens(at: endpoint, contextLength: model.contextLength)))
  }

  /// Its replica answered: with a model's words, or against the request.
  mutating func answered(_ id: RequestID) {
    guard let request = inFlight[id] else { return }
    routes.answered(request.attempt)
  }

  /// Its replica came to nothing with it.
  mutating func note(_ id: RequestID, _ fault: RouteFault, now: Moment) {
    guard let request = inFlight[id] else { return }
    // A client that leaves at once has learned nothing of the replica.
    let waited = now.uptime - request.askedAt
    if fault == .clientLeft, waited < .seconds(limits.patienceSeconds) { return }
    routes.note(request.attempt, fault, of: request.team, now: now.uptime)
  }

  /// Its replica came to nothing with it and had not begun: another one that was not tried yet. None
  /// when there is nothing left to try, or the request was cut.
  mutating func move(_ id: RequestID, after fault: RouteFault, now: Moment) -> PolicyRoute? {
    note(id, fault, now: now)
    guard let request = inFlight[id], let index, !request.isCut, mayServe(now.uptime),
      case .serve(let permission) = index.decide(
        keyDigest: request.keyDigest, model: request.asked, now: date(now), lease: true),
      let route = routes.choose(
        among: permission.routes, except: request.tried, now: now.uptime)
    else { return nil }
    routes.leave(request.attempt)
    inFlight[id]?.attempt = route.attempt
    inFlight[id]?.tried.insert(route.attempt)
    inFlight[id]?.askedAt = now.uptime
    return route
  }

  /// Whether its replica is in the policy.
  func isRouted(_ id: RequestID) -> Bool {
    guard let request = inFlight[id], let index else { return false }
    return index.isRouted(request.attempt)
  }

  var lingering: [AttemptID] { routes.lingering }

  /// What was seen of replicas and is worth telling the control plane.
  mutating func takeSeen(now: Duration) -> [AttemptID: RouteBook.Seen] {
    routes.takeSeen(now: now)
  }

  /// Nothing more of the request's answer is passed on. Safe to call twice.
  mutating func finish(_ id: RequestID, tokens: Int, now: Duration) {
    guard let request = inFlight.removeValue(forKey: id) else { return }
    routes.leave(request.attempt)
    quotas.settle(request.reservation, tokens: tokens, now: now)
  }
}

/// A request that was not let through, with what metrics and headers want to know of it. Team and
/// model are set only where the team may know the model.
struct Rejection: Error {
  let denial: Denial
  var team: Stream?
  var modelName: String?
  var quota: QuotaReading?
}
