// Quotas: requests and tokens a minute, of a team over all models and of one grant. Each limit is a
// bucket that holds a minute's worth and fills evenly. A request is taken when it is let through;
// its tokens are charged once they are known, so a token bucket may go below empty and then lets
// nothing through until it has filled again. Pure; there is at most one bucket a limit.

import Hosting
import Wire

/// Holds up to `capacity`, a minute's worth.
struct QuotaBucket: Sendable, Equatable {
  private(set) var capacity: Int
  private var level: Double
  private var at: Duration

  init(capacity: Int, now: Duration) {
    self.capacity = capacity
    level = Double(capacity)
    at = now
  }

  /// Fills up to now; a changed limit takes effect at once.
  mutating func refill(capacity: Int, now: Duration) {
    let perSecond = Double(capacity) / 60
    level = min(Double(capacity), level + max(0, (now - at).inSeconds) * perSecond)
    self.capacity = capacity
    at = now
  }

  var holdsOne: Bool { level >= 1 }
  var isEmpty: Bool { level <= 0 }
  var remaining: Int { max(0, Int(cut: level)) }

  mutating func take(_ amount: Int) { level -= Double(amount) }

  func seconds(until wanted: Double) -> Double {
    guard capacity > 0 else { return 60 }
    return max(0, (wanted - level) * 60 / Double(capacity))
  }

  var secondsUntilFull: Double { seconds(until: Double(capacity)) }
}

/// What a reply says about the tightest limits that bore on it.
package struct QuotaReading: Sendable, Equatable {
  package struct Line: Sendable, Equatable {
    package let limit: Int
    package let remaining: Int
    package let resetSeconds: Double
  }
  package var requests: Line?
  package var tokens: Line?
}

struct QuotaBook: Sendable {
  private struct Subject: Hashable {
    let team: Stream
    /// None for the team over all models.
    let model: Stream?
  }
  private struct Buckets {
    var requests: QuotaBucket?
    var tokens: QuotaBucket?
  }
  private var buckets: [Subject: Buckets] = [:]

  var count: Int { buckets.count }

  /// Takes one request from every limit that bears on it, or none and says which was used up.
  mutating func admit(
    _ permission: Permission, now: Duration
  ) -> Result<QuotaReading, QuotaExceeded> {
    let (team, grant, model) = (permission.team, permission.grant, permission.model)
    let ofTeam = Subject(team: team.id, model: nil)
    let ofGrant = Subject(team: team.id, model: model.id)
    refill(ofTeam, requests: team.requestsPerMinute, tokens: team.tokensPerMinute, now: now)
    refill(ofGrant, requests: grant.requestsPerMinute, tokens: grant.tokensPerMinute, now: now)
    for subject in [ofGrant, ofTeam] {
      guard let denial = exhausted(subject, permission) else { continue }
      return .failure(QuotaExceeded(denial: denial, reading: reading(ofTeam, ofGrant)))
    }
    buckets[ofTeam]?.requests?.take(1)
    buckets[ofGrant]?.requests?.take(1)
    return .success(reading(ofTeam, ofGrant))
  }

  mutating func charge(tokens: Int, team: Stream, model: Stream) {
    buckets[Subject(team: team, model: nil)]?.tokens?.take(tokens)
    buckets[Subject(team: team, model: model)]?.tokens?.take(tokens)
  }

  /// Forgets the buckets of what is no longer in the policy.
  mutating func retain(_ index: PolicyIndex) {
    buckets = buckets.filter { subject, _ in
      guard let team = index.teams[subject.team] else { return false }
      return subject.model.map { team.grants[$0] != nil } ?? true
    }
  }

  private mutating func refill(_ subject: Subject, requests: Int?, tokens: Int?, now: Duration) {
    guard requests != nil || tokens != nil else {
      buckets[subject] = nil
      return
    }
    var both = buckets[subject] ?? Buckets()
    Self.refill(&both.requests, requests, now)
    Self.refill(&both.tokens, tokens, now)
    buckets[subject] = both
  }

  private static func refill(_ bucket: inout QuotaBucket?, _ limit: Int?, _ now: Duration) {
    guard let limit else {
      bucket = nil
      return
    }
    if bucket == nil { bucket = QuotaBucket(capacity: limit, now: now) }
    bucket?.refill(capacity: limit, now: now)
  }

  private func exhausted(_ subject: Subject, _ permission: Permission) -> Denial? {
    let name =
      subject.model == nil
      ? "the team '\(permission.team.name)'"
      : "the team '\(permission.team.name)' for the model '\(permission.model.name)'"
    let both = buckets[subject]
    if let bucket = both?.requests, !bucket.holdsOne {
      return .rateLimited(
        "requests", limit: bucket.capacity, of: name, wait: Self.wait(bucket.seconds(until: 1)))
    }
    if let bucket = both?.tokens, bucket.isEmpty {
      return .rateLimited(
        "tokens", limit: bucket.capacity, of: name, wait: Self.wait(bucket.seconds(until: 1)))
    }
    return nil
  }

  private static func wait(_ seconds: Double) -> Int { max(1, Int(cut: seconds.rounded(.up))) }

  private func reading(_ subjects: Subject...) -> QuotaReading {
    QuotaReading(
      requests: Self.tightest(subjects.compactMap { buckets[$0]?.requests }),
      tokens: Self.tightest(subjects.compactMap { buckets[$0]?.tokens }))
  }

  private static func tightest(_ buckets: [QuotaBucket]) -> QuotaReading.Line? {
    buckets.min { $0.remaining < $1.remaining }.map {
      .init(limit: $0.capacity, remaining: $0.remaining, resetSeconds: $0.secondsUntilFull)
    }
  }
}

extension Int {
  /// The whole part of a number, or the nearest that can be held: quotas and counts of tokens come
  /// from outside, and none of them may end the gateway.
  init(cut number: Double) {
    self = Int(exactly: number.rounded(.towardZero)) ?? (number > 0 ? .max : .min)
  }
}

struct QuotaExceeded: Error {
  let denial: Denial
  let reading: QuotaReading
}
