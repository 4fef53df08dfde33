// How an attempt that is wanted no more comes to its end, as people are told: what is waited for, and until
// when at the latest. Its devices stay charged until that end is proved.

import HashTreeCollections

/// What a leader knows of a process of a gateway that may serve: a signal, in no event.
package struct GatewayStanding: Equatable, Sendable {
  /// None of those that the log does not name.
  package var process: Position?
  /// `edge-1 (10.0.0.7:7480)`
  package var called: String
  /// From this position on it enforces what the log says; none, if it never said.
  package var enforced: Position?
  /// Since it was given a lease; none, if this leader never gave it one.
  package var heardSeconds: Double?
  /// Until it serves nothing for certain, unless it is heard.
  package var leaseSeconds: Double
  /// What it waits for answers of, though it has no route to it any more.
  package var serving: Set<AttemptID>

  package init(
    process: Position?, called: String, enforced: Position?, heardSeconds: Double?,
    leaseSeconds: Double, serving: Set<AttemptID> = []
  ) {
    self.serving = serving
    self.process = process
    self.called = called
    self.enforced = enforced
    self.heardSeconds = heardSeconds
    self.leaseSeconds = leaseSeconds
  }

  /// Gateways ask anew every few seconds: one that missed some of that is not well, or cannot be heard.
  package static let silentAfterSeconds = Double(3 * Leases.renewalSeconds)
  package var isSilent: Bool { heardSeconds.map { $0 >= Self.silentAfterSeconds } ?? true }

  /// It may still send requests to what a policy of this position has no route to.
  package func mayUse(before position: Position) -> Bool {
    leaseSeconds > 0 && (enforced ?? .empty) < position
  }
}

package enum Departure: Equatable, Sendable {
  /// Gateways are to leave it; those that have not, where that is known.
  case left(until: Timestamp, by: [String])
  /// Its node was told to stop it.
  case told(at: Timestamp, killedAfterSeconds: Int?)
  /// Nobody can prove its end, since its node is lost.
  case onLostNode(Name)

  private static let namedGateways = 3

  /// What is said of the attempt, whose name or "it" stands before: `waits for gateway edge-1
  /// (10.0.0.7:7480) to leave it, until … at the latest`.
  package var words: String {
    switch self {
    case .left(let until, let gateways):
      let named = gateways.prefix(Self.namedGateways).joined(separator: ", ")
      let more = gateways.count - Self.namedGateways
      let whom =
        gateways.isEmpty
        ? "gateways" : "gateway\(gateways.count == 1 ? "" : "s") \(named)"
      return "waits for \(whom)\(more > 0 ? " and \(more) more" : "") to leave it, "
        + "until \(until.short) at the latest"
    case .told(let moment, let grace):
      let end = grace.map { ", killed \($0) s later if it has not ended" } ?? ""
      return "was told to stop at \(moment.short)\(end)"
    case .onLostNode(let node):
      return "cannot be proved to have ended while \(node) is lost"
    }
  }

  /// From when on its engine ends by itself or is killed, however gateways behave; none, if nobody knows.
  package func endsAt(graceSeconds: Int?) -> Timestamp? {
    switch self {
    case .left(let until, _): graceSeconds.map { until.adding(seconds: Int64($0)) }
    case .told(let moment, let grace): grace.map { moment.adding(seconds: Int64($0)) }
    case .onLostNode: nil
    }
  }
}

extension HostingState {
  /// What the end of an attempt waits for; none for one that is wanted.
  ///
  /// - Parameter gateways: all that may serve; none, where that is not known.
  package func departure(of attempt: Attempt, _ gateways: [GatewayStanding]?) -> Departure? {
    if attempt.isWanted { return nil }
    if let node = nodes[attempt.node], node.status == .lost { return .onLostNode(node.name) }
    if let leaving = attempt.leaving, !attempt.stopping {
      let serving = (gateways ?? []).filter {
        $0.leaseSeconds > 0 && $0.serving.contains(attempt.id)
      }
      let behind = (gateways ?? []).filter {
        $0.mayUse(before: leaving.position)
          || $0.leaseSeconds > 0 && $0.serving.contains(attempt.id)
      }
      return .left(
        until: leavingEnd(of: attempt.id, since: leaving.since, isServing: !serving.isEmpty),
        by: behind.map(\.called))
    }
    return .told(
      at: attempt.stoppingSince ?? attempt.phaseSince, killedAfterSeconds: stopGraceSeconds(attempt)
    )
  }

  /// When an engine is told to stop, whatever gateways say: those that do not say that they left it may not know
  /// of it, and those that still wait for its answers are given as long as it is, once told, to end them.
  package func leavingEnd(of id: AttemptID, since: Timestamp, isServing: Bool) -> Timestamp {
    let grace = isServing ? attempts[id].flatMap { stopGraceSeconds($0) } ?? 0 : 0
    return since.adding(seconds: Int64(max(Leases.leaveSeconds, grace)))
  }

  /// What a person can do about silent gateways that an attempt's end waits for.
  package func vouches(for attempt: Attempt, _ gateways: [GatewayStanding]?) -> [String] {
    guard let leaving = attempt.leaving, !attempt.stopping else { return [] }
    return (gateways ?? []).filter { $0.isSilent && $0.mayUse(before: leaving.position) }
      .compactMap { gateway in
        gateway.process.flatMap { gatewayProcesses[$0] }.map {
          "if gateway \(gateway.called) is off for certain: \($0.commandThatItIsOff)"
        }
      }
  }

  /// How long its engine has to end by itself once it is told to.
  package func stopGraceSeconds(_ attempt: Attempt) -> Int? {
    let deployment = deployments[ID(attempt.id.replica.deployment)]
    return deployment.flatMap {
      models[$0.model]?.version(attempt.version)?.launch.stopGraceSeconds
    }
  }

  /// Attempts of a node that are wanted no more, in the order of their ids.
  package func departing(on node: Node) -> [Attempt] {
    departing.isEmpty
      ? []
      : node.attempts.filter { departing.contains($0) }.sorted().compactMap { attempts[$0] }
  }

  /// `grok-2`; of what the reader may not know of, and of what is gone, no name.
  package func replicaName(of attempt: Attempt) -> String? {
    deployments[ID(attempt.id.replica.deployment)]?.replicaName(attempt.id.replica.number)
  }

  /// A node as it will be once what is to stop there has ended; none where nothing is.
  package func afterStops(_ node: Node) -> Node? {
    let going = departing(on: node)
    if going.isEmpty { return nil }
    var node = node
    for attempt in going { node.release(attempt) }
    return node
  }
}
