// `POST /v1/dry-run`: for whom it is, how much it takes, and what a follower that is behind says.

import Hosting
import Postgres
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct DryRunTests {
  private func calls(_ names: [String], ids: [CommandID] = []) -> [UInt8] {
    let calls = names.enumerated().map { index, name in
      CommandCall(
        id: ids.isEmpty ? .random() : ids[index], RegisterProvider(name: Name(known: name)))
    }
    return DryRunCall(calls: calls).jsonBytes
  }

  @Test func `it takes as many commands as one statement stores, and says so of more`() async throws
  {
    let rig = try await APIRig.leading(.current)
    let before = rig.member.board.current.state.position
    let names = (0...Batch.commandLimit).map { "provider-\($0)" }
    let fits = try await rig.post("/v1/dry-run", calls(names.dropLast()))
    #expect(fits.status == 200)
    #expect(try DryRunReply(jsonBytes: fits.body).steps.count == Batch.commandLimit)
    let tooMany = try await rig.post("/v1/dry-run", calls(names))
    #expect(tooMany.status == 400 && tooMany.failure?.code == "tooManyCommands", "\(tooMany)")
    #expect(tooMany.failure?.message.contains("takes 256") == true)
    #expect(rig.member.board.current.state.position == before)
    await rig.stop()
  }

  @Test func `who may not send a command learns nothing of what came of its id`() async throws {
    let rig = try await APIRig.leading(.current)
    let id = CommandID.random()
    let call = CommandCall(id: id, RegisterProvider(name: Name(known: "xai")))
    #expect(try await rig.post("/v1/commands", call.jsonBytes).status == 200)
    let own = try await rig.post("/v1/dry-run", calls(["xai"], ids: [id]))
    #expect(try DryRunReply(jsonBytes: own.body).steps.map(\.isEarlier) == [true])
    let `operator` = try await rig.invite("olga", .operator)
    let others = try await rig.post("/v1/dry-run", calls(["xai"], ids: [id]), token: `operator`)
    #expect(try DryRunReply(jsonBytes: others.body).refusal?.code == "commandIDUsed")

    let viewer = try await rig.invite("vera", .viewer)
    let viewed = try await rig.post("/v1/dry-run", calls(["xai"], ids: [id]), token: viewer)
    #expect(try DryRunReply(jsonBytes: viewed.body).refusal?.code == "notAllowed")
    // It shows what things would be, and who is only invited reads nothing.
    let token = Secret(text: "wharf-invitation-ines")
    let head = rig.member.board.current.state
    let admin = try #require(head.principal(presenting: APIRig.admin.digest, now: head.recordedAt))
    try await rig.submit(
      InvitePerson(name: Name(known: "ines"), role: .admin, invitation: token.digest), by: admin)
    let invited = try await rig.post("/v1/dry-run", calls([]), token: token)
    #expect(invited.status == 403 && invited.failure?.code == "notAllowed", "\(invited)")
    await rig.stop()
  }

  @Test func `a follower that is behind does not take a new token for a wrong one`() async throws {
    let leader = try await APIRig.leading(.current)
    // It hears of what is new only when it is told.
    let follower = try APIRig(.current, instance: "two") { $0.pollInterval = .seconds(600) }
    try await eventually("two follows") {
      follower.member.board.current.standing == .following(address: "http://one")
    }
    let token = try await leader.invite("olga", .operator)
    let early = try await follower.post("/v1/dry-run", calls(["xai"]), token: token)
    #expect(early.status == 503 && early.failure?.code == "notThereYet", "\(early)")
    var connection = try TestDatabase.current.connect()
    try connection.execute("SELECT pg_notify(\(LogStatements.channel), '')")
    let late = try await follower.post("/v1/dry-run", calls(["xai"]), token: token)
    #expect(late.status == 200, "\(late)")
    #expect(try DryRunReply(jsonBytes: late.body).steps.count == 1)
    let wrong = try await follower.post("/v1/dry-run", calls([]), token: Secret(text: "nonsense"))
    #expect(wrong.status == 401, "\(wrong)")
    await follower.stop()
    await leader.stop()
  }
}
