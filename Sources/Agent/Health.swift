// Whether an engine is ready, judged from its probes. A struct whose methods say what changed.

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
    /// → ready. It stays until the control plane says otherwise.
    case unhealthy
  }

  package enum Change: Equatable, Sendable {
    case becameReady
    case becameUnhealthy
    /// Not ready by its deadline.
    case gaveUp
  }

  package private(set) var standing: Standing
  private let periodMilliseconds: Int
  private var failures = 0
  private var successes = 0

  package init(standing: Standing, periodMilliseconds: Int) {
    self.standing = standing
    self.periodMilliseconds = min(
      max(periodMilliseconds, Self.fastestProbeMilliseconds), Self.stableProbeMilliseconds)
  }

  package mutating func probed(answered: Bool, at now: BootTime) -> Change? {
    failures = answered ? 0 : failures + 1
    successes = answered ? successes + 1 : 0
    switch standing {
    case .loading(let deadline):
      if answered {
        standing = .ready
        return .becameReady
      }
      return now >= deadline ? .gaveUp : nil
    case .ready:
      guard failures >= Self.unhealthyAfterFailures else { return nil }
      standing = .unhealthy
      return .becameUnhealthy
    case .unhealthy:
      guard answered else { return nil }
      standing = .ready
      return .becameReady
    }
  }

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
