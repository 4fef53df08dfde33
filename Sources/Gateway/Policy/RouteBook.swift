// Which replica a request goes to: the one with the fewest requests in flight, ties in turn. A
// replica that failed rests for a while and is passed over, unless all do. Pure.

import Hosting
import Wire

struct RouteBook: Sendable {
  private struct Load {
    var inFlight = 0
    var restsUntil: Duration = .zero
    /// When it was last chosen, counted in choices.
    var turn = 0
  }
  private var loads: [AttemptID: Load] = [:]
  private var choices = 0

  /// None when all candidates were tried.
  mutating func choose(
    among candidates: [PolicyRoute], except tried: Set<AttemptID>, now: Duration
  ) -> PolicyRoute? {
    let untried = candidates.filter { !tried.contains($0.attempt) }
    let rested = untried.filter { (loads[$0.attempt]?.restsUntil ?? .zero) <= now }
    let best = (rested.isEmpty ? untried : rested).min { a, b in
      let (first, second) = (loads[a.attempt] ?? Load(), loads[b.attempt] ?? Load())
      return (first.inFlight, first.turn) < (second.inFlight, second.turn)
    }
    guard let best else { return nil }
    choices += 1
    loads[best.attempt, default: Load()].turn = choices
    loads[best.attempt, default: Load()].inFlight += 1
    return best
  }

  mutating func leave(_ attempt: AttemptID) {
    loads[attempt]?.inFlight -= 1
  }

  mutating func rest(_ attempt: AttemptID, until end: Duration) {
    loads[attempt]?.restsUntil = end
  }

  /// Forgets replicas that are in no policy any more and answer nothing.
  mutating func retain(_ index: PolicyIndex) {
    let known = Set(index.models.values.flatMap { $0.routes.map(\.attempt) })
    loads = loads.filter { known.contains($0.key) || $0.value.inFlight > 0 }
  }

  func inFlight(_ attempt: AttemptID) -> Int { loads[attempt]?.inFlight ?? 0 }
}
