// How long a gateway that hears no leader serves on by the last policy it has, after its lease. A fact
// that operators set: longer, and an outage of the control plane or of its database is not one of the
// models; shorter, and a revocation that a gateway cannot hear of is certain the sooner.

package struct GatewayGrace: Equatable, Sendable, SnapshotValue {
  package static let usualSeconds = 900
  package static let longestSeconds = 86_400
  /// A setting that another took the place of is remembered this long: more than any lease and grace, so
  /// nobody acts on it afterwards.
  private static let memorySeconds = 200_000.0

  package struct Setting: Equatable, Sendable, SnapshotValue {
    package let position: Position
    package let seconds: Int
    package let setAt: Timestamp
  }

  /// In force before the first of `settings`.
  package private(set) var first = usualSeconds
  package private(set) var settings: [Setting] = []

  package init() {}

  init(first: Int, settings: [Setting]) {
    self.first = first
    self.settings = settings
  }

  package var seconds: Int { settings.last?.seconds ?? first }

  /// The longest that was in force at a position or at a later one: what a gateway may go by that
  /// enforces the policy of that position.
  package func longest(since position: Position) -> Int {
    var inForce = first
    var longest = 0
    for setting in settings {
      if setting.position > position { longest = max(longest, inForce) }
      inForce = setting.seconds
    }
    return max(longest, inForce)
  }

  mutating func set(_ seconds: Int, _ fact: Fact) {
    settings.append(
      Setting(position: fact.position, seconds: seconds, setAt: fact.recordedAt))
    while settings.count > 1,
      fact.recordedAt.seconds(since: settings[1].setAt) > Self.memorySeconds
    {
      first = settings.removeFirst().seconds
    }
  }
}

extension HostingState {
  /// What is told to gateways. An older leader could not count with a grace: while one may come to lead,
  /// there is none.
  package var graceSeconds: Int {
    log.formatLevel >= FormatLevel.kept ? gatewayGrace.seconds : 0
  }

  package func longestGraceSeconds(since position: Position) -> Int {
    log.formatLevel >= FormatLevel.kept ? gatewayGrace.longest(since: position) : 0
  }
}

// MARK: Event and command

package struct GatewayGraceSet: Event {
  package static let type = "gatewayGraceSet"
  package static let formatLevel = FormatLevel.kept
  package let seconds: Int

  package func evolve(_ state: inout HostingState, _ fact: Fact) {
    state.gatewayGrace.set(seconds, fact)
  }
}

/// Sets how long gateways serve on by what they know, when no leader answers.
package struct SetGatewayGrace: Command {
  package static let type = "gateway.setGrace"
  package let seconds: Int

  package init(seconds: Int) { self.seconds = seconds }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard (0...GatewayGrace.longestSeconds).contains(seconds) else {
      throw Refusal(
        "graceOutOfRange",
        "cannot let gateways serve on for \(seconds) s without a leader: that is 0 to "
          + "\(GatewayGrace.longestSeconds) s", help: "0 stops them when their lease ends")
    }
    guard state.graceSeconds != seconds || state.log.formatLevel < FormatLevel.kept else { return }
    decision.record(GatewayGraceSet(seconds: seconds), on: .log)
  }
}
