// When a follower tries to lead. A courtesy, so that leaders do not depose each other for nothing:
// safety rests on positions alone, and a try that comes too early only costs the other a new try.
//
// A leader is taken for gone when its row says it stepped down; when its session was missing in the
// database twice in a row, with no beat between; or when its beat stood still for `silenceSeconds`
// on our own monotonic clock.

import Hosting
import Time

struct Candidacy {
  /// A living leader raises its beat this often.
  static let beatSeconds = 2
  /// A beat that stood still this long belongs to nobody.
  static let silenceSeconds = 10

  /// What the leader's row said, and whether its session is still there.
  struct Sighting: Equatable {
    let instance: String?
    let beat: Int64
    let sessionAlive: Bool
    let address: String
  }

  private var beat: Int64?
  private var beatSince: Clocks.Instant?
  private var sessionMissing = false

  /// Whether to try now, after this sighting; none means that nobody ever led.
  mutating func shouldLead(_ sighting: Sighting?, at now: Clocks.Instant) -> Bool {
    guard let sighting, sighting.instance != nil else { return true }
    if beat != sighting.beat || beatSince == nil {
      beat = sighting.beat
      beatSince = now
      sessionMissing = !sighting.sessionAlive
      return false
    }
    if !sighting.sessionAlive, sessionMissing { return true }
    sessionMissing = !sighting.sessionAlive
    return beatSince.map { now - $0 >= .seconds(Self.silenceSeconds) } ?? false
  }
}
