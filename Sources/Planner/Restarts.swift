// Replicas that are to be restarted though their agents say that they are well: those whose engines no
// gateway gets an answer from, and those whose key nobody can make again.

import HashTreeCollections
import Hosting

package enum Unanswering {
  /// So many requests that met silence within the window, and none answered, say that an engine hangs. What
  /// one client can bring about at an engine that is well is not counted, but for answers that take longer than
  /// the template lets them: see `AttemptSighting`.
  package static let fewestGivenUp = 5

  package static func isSeen(in sighting: Signals.Sighting) -> Bool {
    guard sighting.answered == 0 else { return false }
    return counts(sighting).gaveUp >= fewestGivenUp
  }

  /// Since its last answer, as far as that is known.
  static func counts(_ sighting: Signals.Sighting) -> RequestCounts {
    guard sighting.answered == 0, let silence = sighting.silence else {
      return RequestCounts(asked: sighting.asked, gaveUp: sighting.gaveUp)
    }
    return RequestCounts(asked: silence.asked, gaveUp: silence.gaveUp)
  }

  /// `of 9 requests in the last 60 s none was answered, and 5 met silence`
  static func words(_ sighting: Signals.Sighting) -> String {
    let answered = sighting.answered == 0 ? "none was" : "\(sighting.answered) were"
    let counts = counts(sighting)
    let silence = sighting.answered == 0 ? sighting.silence : nil
    let span = silence.map { "\($0.seconds / 60) min" } ?? "\(Signals.Sighting.windowSeconds) s"
    return "of \(counts.asked) requests in the last \(span) \(answered) answered, and "
      + "\(counts.gaveUp) met silence"
  }
}

extension Pass {
  /// One replica of a deployment at a time, and none while another has just failed: what hits all of them
  /// at once is not theirs, and is not mended by starting all of them anew.
  mutating func restartUnanswering() {
    let seen = signals.sightings.filter { Unanswering.isSeen(in: $0.value) }.sorted {
      $0.key < $1.key
    }
    var restarted: Set<ID<Deployment>> = []
    for (id, sighting) in seen {
      let owner = ID<Deployment>(id.replica.deployment)
      guard let deployment = state.deployments[owner], !restarted.contains(owner),
        deployment.replicas[id.replica.number]?.attempt == id, let attempt = state.attempts[id],
        attempt.phase == .ready, attempt.isWanted, !state.lostNodes.contains(attempt.node)
      else { continue }
      let window = Double(Signals.Sighting.windowSeconds)
      let lastFailure = deployment.replicas.values.compactMap(\.lastFailedAt).max()
      if let lastFailure, now.seconds(since: lastFailure) < window {
        wake(at: lastFailure.adding(seconds: Int64(window)))
        continue
      }
      restarted.insert(owner)
      decide(
        RestartAttempts(
          deployment: owner, attempts: [id], cause: .unanswering,
          requests: Unanswering.counts(sighting)))
    }
  }

  /// All at once: none of them can be asked anything, so nothing is lost by it.
  mutating func restartLostSecret() {
    let byDeployment = Dictionary(grouping: state.lostSecretAttempts) { $0.replica.deployment }
    for (deployment, attempts) in byDeployment.sorted(by: { $0.key < $1.key }) {
      decide(
        RestartAttempts(
          deployment: ID(deployment), attempts: attempts.sorted(), cause: .secretReplaced))
    }
  }
}
