// Signals: what is known and not in the log. The leader gathers them on its monotonic clock; a plan
// takes them as a value, and a decision that rests on one records it.

import Hosting

package struct Signals: Equatable, Sendable {
  /// For how long the leader can hear without a break: restarts at takeover, after a stall of the
  /// leader of over a second, and after any time it could not append.
  package var hearingSeconds: Double
  /// Nodes heard within that span. One that is not here was not heard since it began; after a break
  /// all are taken out, so that silence is only ever counted while the leader could hear.
  package var heard: [ID<Node>: Hearing]
  /// The nodes of which silence may mean something; none, where each node has to be looked at. Of the others
  /// none is silent for longer than the rest.
  package var suspects: Set<ID<Node>>?
  package var restSeconds = 0.0
  /// What gateways saw of engines lately.
  package var sightings: [AttemptID: Sighting]
  /// How much silence means what.
  package var limits: SilenceLimits
  /// Agents may still hold leases of an earlier leader for so long: until then no node is lost.
  package var inheritedSeconds = 0.0
  /// The earliest position that a gateway which may serve enforces; none, if none may serve.
  package var enforced: Position?
  /// What gateways still wait for answers of, though they have no route to it any more.
  package var serving: Set<AttemptID> = []
  /// What each process of a gateway enforces that may serve; none, where that is not known: at a follower,
  /// and of the past.
  package var gateways: [GatewayStanding]?
  /// Processes of gateways that were not heard for so long that they serve nothing any more.
  package var silentGateways: [Position] = []

  package struct Hearing: Equatable, Sendable {
    package var silentSeconds: Double
    /// The incarnation of the agent that was heard last.
    package var incarnation: String

    package init(silentSeconds: Double, incarnation: String) {
      self.silentSeconds = silentSeconds
      self.incarnation = incarnation
    }
  }

  /// Requests of the last minute, over all gateways.
  package struct Sighting: Equatable, Sendable {
    package static let windowSeconds = 60

    package var asked: Int
    /// Their answers began.
    package var answered: Int
    /// They met silence: see `AttemptSighting`.
    package var gaveUp: Int
    /// Since its last answer, where that is longer ago than the window and more is known of since then. Gateways
    /// ask an engine that is silent ever more rarely, so that no minute may hold enough of it.
    package var silence: Silence?

    package struct Silence: Equatable, Sendable {
      /// What was longer ago counts no more.
      package static let longestSeconds = 3_600

      package var asked: Int
      package var gaveUp: Int
      package var seconds: Int

      package init(asked: Int, gaveUp: Int, seconds: Int) {
        (self.asked, self.gaveUp, self.seconds) = (asked, gaveUp, seconds)
      }
    }

    package init(asked: Int = 0, answered: Int = 0, gaveUp: Int = 0) {
      self.asked = asked
      self.answered = answered
      self.gaveUp = gaveUp
    }

    /// Counts come from outside: what would not fit is as much as there is.
    package static func + (a: Self, b: Self) -> Self {
      Self(
        asked: sum(a.asked, b.asked), answered: sum(a.answered, b.answered),
        gaveUp: sum(a.gaveUp, b.gaveUp))
    }

    package static func sum(_ a: Int, _ b: Int) -> Int {
      let (sum, isTooMuch) = a.addingReportingOverflow(b)
      return isTooMuch ? .max : sum
    }
  }

  package init(
    hearingSeconds: Double, heard: [ID<Node>: Hearing] = [:],
    sightings: [AttemptID: Sighting] = [:], limits: SilenceLimits = .usual
  ) {
    self.hearingSeconds = hearingSeconds
    self.heard = heard
    self.sightings = sightings
    self.limits = limits
  }

  /// Seconds of silence of a node while the leader could hear.
  package func silentSeconds(of node: ID<Node>) -> Double {
    let unlisted = suspects?.contains(node) == false ? restSeconds : hearingSeconds
    return min(heard[node]?.silentSeconds ?? unlisted, hearingSeconds)
  }
}
