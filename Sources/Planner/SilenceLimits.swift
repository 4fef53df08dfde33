// How long a node may be silent before something follows from it. One number is chosen, and the
// others stand in proportion to it: so an agent's lease has always ended long before its node is
// lost, and an exclusive attempt has stopped before its replacement starts. Hosting/LEASES.md adds up.

import Hosting

package struct SilenceLimits: Hashable, Sendable {
  package static let usualNodeLostSeconds = 75
  /// Below the least of these a leader's beat, every two seconds, would be too slow for its share.
  package static let nodeLostSecondsRange = 10...3_600
  package static let usual = SilenceLimits()

  /// Silent for this long, a node is lost.
  package let nodeLostSeconds: Double

  package init(nodeLostSeconds: Int = usualNodeLostSeconds) {
    precondition(
      Self.nodeLostSecondsRange.contains(nodeLostSeconds), "limits are checked where they come in")
    self.nodeLostSeconds = Double(nodeLostSeconds)
  }

  /// Silent for this long, a node counts among those that went silent together.
  package var suspectSeconds: Double { nodeLostSeconds * 0.4 }

  /// An agent that heard nothing for this long starts nothing, and stops what is exclusive.
  package var agentLeaseSeconds: Int { Int(suspectSeconds) }

  /// A leader that was not in touch with the log for this long gives agents no lease.
  package var touchSeconds: Double { min(Double(Leases.touchSeconds), nodeLostSeconds * 0.3) }

  /// What is left of the silence for the engine of an exclusive attempt to end in, once its agent's
  /// lease has ended: with all that a deposed leader may have given, by the slowest clock.
  package var exclusiveStopSeconds: Double {
    let given = touchSeconds + Double(agentLeaseSeconds)
    return nodeLostSeconds - given * (1 + Double(Leases.driftPerMille) / 1_000)
  }

  /// An agent speaks this often, so that a lease outlives a few that are lost on the way.
  package var heartbeatSeconds: Int { max(1, Int(nodeLostSeconds / 15)) }
}
