// Events of a type, of a person and of a time, from the front and from the end: what indexes lead to is what a
// look at every event finds.

import Foundation
import HashTreeCollections
import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct EventQueryTests {
  private func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
  }

  private func events(_ rig: APIRig, _ query: String) async throws -> [EventItem] {
    let answer = try await rig.get("/v1/events?\(query)")
    #expect(answer.status == 200, "\(query): \(answer.text)")
    return try ItemsReply<EventItem>(jsonBytes: answer.body).items
  }

  /// A log in which two persons, a node and wharfd do things in turn.
  private func log() async throws -> APIRig {
    let rig = try await APIRig.leading(.current)
    let state = rig.member.board.current.state
    let admin = try #require(
      state.principal(presenting: APIRig.admin.digest, now: state.recordedAt))
    let token = try await rig.invite("olga", .operator)
    let later = rig.member.board.current.state
    let olga = try #require(
      later.principal(presenting: token.digest, now: later.recordedAt))
    try await rig.submit(RegisterProvider(name: "xai"), by: admin)
    let terms = Terms(
      scope: [.inference], audiences: [.internal], from: later.recordedAt, until: nil, noticeDays: 1
    )
    try await rig.submit(SignAgreement(provider: "xai", terms: terms), by: admin)
    for number in 1...6 {
      let model = try ModelReference(jsonText: "xai/m\(number)")
      let team = Name(known: "team-\(number)")
      try await rig.submit(
        OnboardModel(model: model, task: .chat, contextLength: nil),
        by: number.isMultiple(of: 2) ? admin : olga)
      try await rig.submit(
        RegisterTeam(name: team, audience: .internal), by: number < 4 ? olga : admin)
      try await rig.submit(PlaceMark(name: Name(known: "mark-\(number)")), by: admin)
    }
    return rig
  }

  @Test
  func `events by type, by who did them and by their time are those that a look at all finds`()
    async throws
  {
    let rig = try await log()
    let all = try await events(rig, "limit=1000")
    #expect(all.map(\.position) == (1...all.count).map { Position(Int64($0)) })
    let actors = Set(all.map(\.actor))
    #expect(actors.count == 3, "wharfd, the admin and olga")
    let types = ["modelOnboarded", "teamRegistered", "modelOnboarded,teamRegistered", "markPlaced"]
    let edges = [3, all.count / 2, all.count - 2].map { all[$0] }

    func check(_ query: String, _ isMeant: (EventItem) -> Bool) async throws {
      let meant = all.filter(isMeant).map(\.position)
      #expect(try await events(rig, "\(query)limit=1000").map(\.position) == meant, "\(query)")
      for limit in [1, 3] {
        let first = try await events(rig, "\(query)limit=\(limit)").map(\.position)
        #expect(first == Array(meant.prefix(limit)), "\(query)limit=\(limit)")
        let last = try await events(rig, "\(query)limit=\(limit)&last=true").map(\.position)
        #expect(last == Array(meant.suffix(limit)), "\(query)limit=\(limit)&last=true")
      }
    }
    try await check("") { _ in true }
    for type in types {
      try await check("type=\(encoded(type))&") {
        type.split(separator: ",").contains("\($0.type)")
      }
    }
    for actor in actors {
      try await check("actor=\(encoded(actor))&") { $0.actor == actor }
      try await check("actor=\(encoded(actor))&type=modelOnboarded&") {
        $0.actor == actor && $0.type == "modelOnboarded"
      }
    }
    for edge in edges {
      let (time, position) = (encoded(edge.recordedAt.description), edge.position.value)
      try await check("since=\(time)&") { $0.recordedAt >= edge.recordedAt }
      try await check("until=\(time)&") { $0.recordedAt <= edge.recordedAt }
      try await check("since=\(position)&type=teamRegistered&") {
        $0.position >= edge.position && $0.type == "teamRegistered"
      }
      try await check("until=\(position)&kind=team,log&") {
        $0.position <= edge.position && [.team, .log].contains($0.stream.kind)
      }
    }
    let mark = try #require(rig.member.board.current.state.log.marks["mark-1"]).position
    try await check("since=mark-1&") { $0.position > mark }
    try await check("after=5&until=9&") { $0.position > 5 && $0.position <= 9 }
    try await check("since=9&until=5&") { _ in false }
    await rig.stop()
  }

  @Test(arguments: [
    "actor=olga", "actor=person/", "last=maybe", "since=never-was", "until=2026-13-01",
  ])
  func `what events cannot be asked for is refused`(_ query: String) async throws {
    let rig = try await APIRig.leading(.current)
    let answer = try await rig.get("/v1/events?\(query)")
    #expect(answer.status == 400 || answer.status == 404, "\(answer.status): \(answer.text)")
    #expect(answer.failure?.message.isEmpty == false)
    await rig.stop()
  }
}
