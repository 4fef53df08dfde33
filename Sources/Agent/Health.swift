// Whether an engine is ready, judged from its probes, and whether it lives, judged from the looks that
// its template asks for. A struct whose methods say what changed.
//
// Probes are quick, and take an engine out of the routes within seconds. Looks are slow, may send a small
// real request, and end an engine that fails all of them: it is restarted as after any other failure.

import Hosting

package struct Health: Equatable, Sendable {
  /// Failed probes in a row that make a ready engine unhealthy.
  package static let unhealthyAfterFailures = 3
  /// How often an engine is probed that has long been well.
  package static let stableProbeMilliseconds = 5_000
  package static let fastestProbeMilliseconds = 50
  package static let probeTimeoutMilliseconds = 2_000

  package enum Standing: Equatable, Sendable {
    /// → ready; given up at its deadline.
    case loading(deadline: BootTime)
    /// → unhealthy.
    case ready
    /// → ready; given up once it has failed all looks.
    case unhealthy
  }

  package enum Change: Equatable, Sendable {
    case becameReady
    case becameUnhealthy
    /// Not ready by its deadline.
    case gaveUp
    /// It was ready, and failed every look.
    case hung
  }

  package private(set) var standing: Standing
  package let liveness: Launch.Liveness
  private let periodMilliseconds: Int
  private var failures = 0
  private var successes = 0
  private var failedLooks = 0
  /// Since when looks count; none before it was ready.
  private var looksCountFrom: BootTime?

  package init(
    standing: Standing, periodMilliseconds: Int, liveness: Launch.Liveness = .usual,
    at now: BootTime
  ) {
    self.standing = standing
    self.liveness = liveness
    self.periodMilliseconds = min(
      max(periodMilliseconds, Self.fastestProbeMilliseconds), Self.stableProbeMilliseconds)
    if standing == .ready { looksCountFrom = now.adding(seconds: liveness.graceSeconds) }
  }

  package mutating func probed(answered: Bool, at now: BootTime) -> Change? {
    failures = answered ? 0 : failures + 1
    successes = answered ? successes + 1 : 0
    switch standing {
    case .loading(let deadline):
      if answered { return becomeReady(at: now) }
      return now >= deadline ? .gaveUp : nil
    case .ready:
      return failures >= Self.unhealthyAfterFailures ? becomeUnhealthy() : nil
    case .unhealthy:
      // What answers its probe and no request is no use to anybody.
      guard answered, failedLooks < looksUntilUnhealthy else { return nil }
      return becomeReady(at: now)
    }
  }

  /// Takes a look that the template asks for, of an engine that was ready once.
  package mutating func looked(answered: Bool, at now: BootTime) -> Change? {
    guard let from = looksCountFrom, now >= from else { return nil }
    failedLooks = answered ? 0 : failedLooks + 1
    if failedLooks >= liveness.failures { return .hung }
    guard standing == .ready, failedLooks >= looksUntilUnhealthy else { return nil }
    return becomeUnhealthy()
  }

  /// Out of the routes well before it is ended.
  private var looksUntilUnhealthy: Int { max(1, liveness.failures / 2) }

  private mutating func becomeReady(at now: BootTime) -> Change {
    standing = .ready
    if looksCountFrom == nil { looksCountFrom = now.adding(seconds: liveness.graceSeconds) }
    return .becameReady
  }

  private mutating func becomeUnhealthy() -> Change {
    standing = .unhealthy
    return .becameUnhealthy
  }

  /// Whether looks make sense: not of one that loads.
  package var isLookedAt: Bool { looksCountFrom != nil }

  /// Until the next probe: quick while something is open, slower the longer all is well.
  package var pauseMilliseconds: Int {
    switch standing {
    case .loading: return periodMilliseconds
    case .ready:
      let doublings = failures > 0 ? 0 : min(successes, 10)
      return min(periodMilliseconds << doublings, Self.stableProbeMilliseconds)
    case .unhealthy: return min(periodMilliseconds * 2, Self.stableProbeMilliseconds)
    }
  }
}

extension Launch.Liveness {
  /// Of a version whose template says nothing of it. Long, since some engines answer nothing while they
  /// are busy: what is taken out of the routes within seconds is ended after five minutes.
  package static let usual = Launch.Liveness(
    path: nil, periodSeconds: 10, failures: 30, graceSeconds: 0, request: nil)
}
