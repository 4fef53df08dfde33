// How long a node may be silent before something follows from it. One number is chosen, and the
// others stand in proportion to it: so an agent's lease has always ended long before its node is
// lost, and an exclusive attempt has stopped before its replacement starts.

package struct SilenceLimits: Hashable, Sendable {
  package static let usualNodeLostSeconds = 75
  package static let nodeLostSecondsRange = 5...3_600
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

  /// An agent speaks this often, so that a lease outlives a few that are lost on the way.
  package var heartbeatSeconds: Int { max(1, Int(nodeLostSeconds / 15)) }
}
