// What gateways say of engines: added up over all of them, for a minute, and of nobody else.

import Hosting
import Planner
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct SightingTests {
  private static let attempt = AttemptID(
    replica: ReplicaID(deployment: 31, number: 2), placedAt: 40)

  private func seen(_ asked: Int, _ answered: Int, _ gaveUp: Int) -> GatewaySightings {
    GatewaySightings(
      seconds: 5,
      items: [
        AttemptSighting(attempt: Self.attempt, asked: asked, answered: answered, gaveUp: gaveUp)
      ])
  }

  @Test func `counts of all gateways are added up, and forgotten after the window`() {
    let book = SightingBook()
    let start = ContinuousClock.now
    book.saw(seen(4, 3, 1), by: ID(7), at: start) { _ in true }
    book.saw(seen(5, 0, 5), by: ID(8), at: start + .seconds(30)) { _ in true }
    #expect(
      book.sightings(at: start + .seconds(31)) == [
        Self.attempt: Signals.Sighting(asked: 9, answered: 3, gaveUp: 6)
      ])
    let window = Signals.Sighting.windowSeconds
    #expect(
      book.sightings(at: start + .seconds(window + 1)) == [
        Self.attempt: Signals.Sighting(asked: 5, answered: 0, gaveUp: 5)
      ])
    let later = book.sightings(at: start + .seconds(window + 31))[Self.attempt]
    #expect(later?.asked == 0 && later?.silence?.gaveUp == 5, "since its last answer")
  }

  @Test
  func `what an engine leaves unanswered counts until it answers, however rarely it is asked`() {
    let book = SightingBook()
    let start = ContinuousClock.now
    func silence(at seconds: Int) -> Signals.Sighting.Silence? {
      book.sightings(at: start + .seconds(seconds))[Self.attempt]?.silence
    }
    for minute in 0..<5 {
      book.saw(
        seen(1, 0, 1), by: ID(Position(Int64(7 + minute % 2))), at: start + .seconds(300 * minute)
      ) { _ in true }
    }
    #expect(silence(at: 1_202) == .init(asked: 5, gaveUp: 5, seconds: 1_202))
    book.saw(seen(2, 1, 1), by: ID(7), at: start + .seconds(1_210)) { _ in true }
    #expect(silence(at: 1_212) == nil, "it answered")
    book.saw(seen(1, 0, 1), by: ID(7), at: start + .seconds(1_300)) { _ in true }
    #expect(silence(at: 1_400)?.gaveUp == 1)
    #expect(silence(at: 1_300 + 3_602) == nil, "that is too long ago")
  }

  @Test func `attempts that are not known, or that nobody gave up on, are not told of`() {
    let book = SightingBook()
    let start = ContinuousClock.now
    book.saw(seen(5, 0, 5), by: ID(7), at: start) { _ in false }
    #expect(book.sightings(at: start) == [:])
    book.saw(seen(5, 5, 0), by: ID(7), at: start + .seconds(2)) { _ in true }
    #expect(book.sightings(at: start + .seconds(4)) == [:])
  }

  @Test func `however often a gateway speaks, its counts are all there and take bounded room`() {
    let book = SightingBook()
    let start = ContinuousClock.now
    for index in 0..<1_000 {
      book.saw(seen(1, 0, .max), by: ID(7), at: start + .milliseconds(index)) { _ in true }
    }
    #expect(
      book.sightings(at: start + .seconds(2)) == [
        Self.attempt: Signals.Sighting(asked: 1_000, answered: 0, gaveUp: .max)
      ])
  }

  @Test func `only gateways are heard, and only what can be`() async throws {
    let rig = try await APIRig.leading(.current)
    let byAdmin = try await rig.post("/v1/gateway/sightings", seen(1, 0, 1).jsonBytes)
    #expect(byAdmin.status == 403, "\(byAdmin)")
    let below = try await rig.post("/v1/gateway/sightings", seen(1, -1, 1).jsonBytes)
    #expect(below.status == 400 && below.failure?.code == "sightingsOutOfRange", "\(below)")
    await rig.stop()
  }
}
