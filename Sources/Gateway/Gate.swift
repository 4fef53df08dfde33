// `GateState` behind its lock, with the clock and the means to stop requests.

import Hosting
import Synchronization
import Time
import Wire

package final class Gate: Sendable {
  private struct Guarded {
    var state: GateState
    var controls: [GateState.RequestID: RequestControl] = [:]
  }

  let limits: GatewayLimits
  let clock: GatewayClock
  var clocks: Clocks { clock.clocks }
  private let guarded: Mutex<Guarded>

  package init(limits: GatewayLimits = GatewayLimits(), clocks: Clocks = .system) {
    self.limits = limits
    clock = GatewayClock(clocks)
    guarded = Mutex(Guarded(state: GateState(limits: limits)))
  }

  // MARK: Lease and policy

  /// Applies a policy and stops what it ends; returns without waiting for that.
  func apply(_ index: PolicyIndex, dropped: Set<AttemptID>?) {
    stop { $0.apply(index, dropped: dropped, now: clock.now) }
  }

  /// The control plane said what time it is, of the log's.
  func note(time: Timestamp) { guarded.withLock { $0.state.note(time: time) } }

  func sweep() {
    stop { $0.sweep(now: clock.now) }
    let now = clock.uptime
    let controls = guarded.withLock { Array($0.controls.values) }
    for control in controls { control.overstep(now: now).map { control.stop($0) } }
  }

  private func stop(_ step: (inout GateState) -> [GateState.Cut]) {
    let cuts = guarded.withLock { guarded in
      step(&guarded.state).map { (guarded.controls[$0.id], $0.denial) }
    }
    for (control, denial) in cuts { control?.stop(.cut(denial)) }
  }

  /// - Returns: whether the lease counts; see `GateState`.
  func renewLease(sentAt: Duration, seconds: Int, withPolicy: Bool) -> Bool {
    let now = clock.uptime
    return guarded.withLock {
      $0.state.renewLease(sentAt: sentAt, seconds: seconds, withPolicy: withPolicy, now: now)
    }
  }

  /// Answers nothing from now on, and stops what runs.
  func endLease() { stop { $0.endLease(now: clock.now) } }

  /// The drain is over: what is still in flight is told so, and nothing new is taken.
  func endDrain() { stop { $0.endDrain() } }

  /// Whether anything may be answered by the policy that is held.
  var mayServe: Bool {
    let now = clock.uptime
    return guarded.withLock { $0.state.mayServe(now) }
  }

  // MARK: Shares of limits

  var wantsShares: Bool { guarded.withLock { $0.state.wantsShares } }

  /// What is held and used of limits, to be sent at once; none where they are not shared.
  func shareReport() -> ShareReport? {
    let now = clock.uptime
    return guarded.withLock { $0.state.shareReport(now: now) }
  }

  func take(_ answer: ShareAnswer, era: Position) {
    guarded.withLock { $0.state.take(answer, era: era) }
  }

  /// Returns once nothing that was cut is being answered any more.
  func waitUntilCut() async throws {
    while guarded.withLock({ $0.state.isCutting }) {
      try await clocks.sleep(for: .milliseconds(limits.cutPollMilliseconds))
    }
  }

  // MARK: Requests

  func team(of keyDigest: Digest?) throws(Denial) -> PolicyIndex.Team {
    let now = clock.now
    return try guarded.withLock { guarded throws(Denial) in
      try guarded.state.team(of: keyDigest, now: now)
    }
  }

  /// The admission, and what stops the request; it is in flight until `finish`.
  func admit(
    keyDigest: Digest, model: String, at endpoint: Endpoint, wish: TokenWish
  ) throws(Rejection) -> (GateState.Admission, RequestControl) {
    let result = guarded.withLock { guarded in
      guarded.state.admit(
        keyDigest: keyDigest, model: model, at: endpoint, wish: wish, now: clock.now
      )
      .map { admission in
        let control = RequestControl()
        guarded.controls[admission.id] = control
        return (admission, control)
      }
    }
    return try result.get()
  }

  func answered(_ id: GateState.RequestID) { guarded.withLock { $0.state.answered(id) } }

  func note(_ id: GateState.RequestID, _ fault: RouteFault) {
    guarded.withLock { $0.state.note(id, fault, now: clock.now) }
  }

  func move(_ id: GateState.RequestID, after fault: RouteFault) -> PolicyRoute? {
    guarded.withLock { $0.state.move(id, after: fault, now: clock.now) }
  }

  /// Whether its replica is still among those that requests go to: one that is not was ended on purpose.
  func isRouted(_ id: GateState.RequestID) -> Bool { guarded.withLock { $0.state.isRouted(id) } }

  /// Attempts without a route that still answer requests of before, as they are told of.
  func lingering() -> [AttemptID] {
    Array(guarded.withLock { $0.state.lingering }.prefix(PolicyEnforced.servingLimit))
  }

  func takeSeen() -> [AttemptID: RouteBook.Seen] {
    guarded.withLock { $0.state.takeSeen(now: clock.uptime) }
  }

  func finish(_ id: GateState.RequestID, tokens: Int) {
    let now = clock.uptime
    guarded.withLock { guarded in
      guarded.state.finish(id, tokens: tokens, now: now)
      guarded.controls[id] = nil
    }
  }

  // MARK: What it looks like

  struct Reading: Sendable {
    let index: PolicyIndex?
    /// By this dates are judged.
    let date: Timestamp
    let leaseLeft: Duration
    /// With the grace after it.
    let servingLeft: Duration
    let serves: Bool
    let inFlight: Int
    /// Whether it has its part of limits.
    let hasShares: Bool
    var position: Position { index?.position ?? .empty }
    /// Serving on by what is known, though no leader was heard for the lease.
    var isInGrace: Bool { serves && leaseLeft <= .zero }
  }

  var reading: Reading {
    let moment = clock.now
    let now = moment.uptime
    return guarded.withLock { guarded in
      Reading(
        index: guarded.state.index, date: guarded.state.date(moment),
        leaseLeft: guarded.state.leaseLeft(now), servingLeft: guarded.state.servingLeft(now),
        serves: guarded.state.mayServe(now),
        inFlight: guarded.state.inFlight.count, hasShares: guarded.state.hasShares)
    }
  }
}
