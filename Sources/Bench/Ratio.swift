// What a run says: one figure against another, more being better. Both were measured in every pass of the
// run, so a pass has its ratio, too, and those show how far it can be trusted.

/// A ratio of this run, more being better, and what it is to be at least.
package struct Ratio: Sendable {
  package let name: String
  /// Of the figures of the whole run.
  package let value: Double
  /// Of the figures of each pass.
  package let passes: Spread
  package let goal: Double

  package var holds: Bool { value >= goal }
}

/// One side of a ratio, in the whole run and in each of its passes.
private struct Term {
  let whole: Double
  let passes: [Double]
}

extension Report {
  /// The ratios whose arms all ran.
  package var ratios: [Ratio] {
    let (submit1, submit16) = (rate("submit-1"), rate("submit-16"))
    let enough = constant(300_000)
    return [
      ratio("submit-256 / unnest", rate("submit-256"), rate("unnest"), goal: 0.8),
      ratio("submit-16 / insert-16", submit16, rate("insert-16"), goal: 1.5),
      // Of times, so the shorter one stands below.
      ratio("latency insert-1 / submit-1", p50("insert-1"), p50("submit-1"), goal: 1 / 1.5),
      ratio("view: 10 ms / p99", constant(10), term("view", \.p99Milliseconds), goal: 1),
      ratio("read / copy", rate("read"), rate("copy"), goal: 0.5),
      ratio("fold / 300,000 a second", rate("fold"), enough, goal: 1),
      ratio("verify / 300,000 a second", rate("verify"), enough, goal: 1),
      ratio("start: 2 s / ready", constant(2_000), p50("start"), goal: 1),
      ratio(
        "start: 500 MB / memory", constant(500), term("start", \.extras["megabytes"]), goal: 1),
      ratio("submit-16 / message-db-16", submit16, rate("message-db-16"), goal: 1),
      ratio("submit-1 / eventsourcing", submit1, rate("eventsourcing"), goal: 1),
    ].compactMap { $0 }
  }

  private func ratio(_ name: String, _ above: Term?, _ below: Term?, goal: Double) -> Ratio? {
    guard let above, let below else { return nil }
    let (value, passes) = (
      above.whole / below.whole, zip(above.passes, below.passes).map { $0 / $1 }
    )
    // Against nothing there is none.
    guard ([value] + passes).allSatisfy(\.isFinite) else { return nil }
    return Ratio(name: name, value: value, passes: Spread(passes), goal: goal)
  }

  /// None where the arm did not run, or has no such figure.
  private func term(_ arm: String, _ figure: KeyPath<Figures, Double?>) -> Term? {
    guard let arm = self[arm], let whole = arm.whole[keyPath: figure] else { return nil }
    return Term(whole: whole, passes: arm.passes.compactMap { $0[keyPath: figure] })
  }

  private func rate(_ arm: String) -> Term? {
    self[arm].map {
      Term(whole: $0.eventsPerSecond.median, passes: $0.passes.map(\.eventsPerSecond))
    }
  }

  private func p50(_ arm: String) -> Term? { term(arm, \.p50Milliseconds) }

  /// What is the same in every pass.
  private func constant(_ value: Double) -> Term {
    let passes = arms.map(\.passes.count).max() ?? 0
    return Term(whole: value, passes: Array(repeating: value, count: passes))
  }
}
