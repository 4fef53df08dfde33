// Tokens over the API: listed without their secrets, used, revoked; and what of others a viewer reads.

import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct TokenRoutesTests {
  private func items<Item: Codable & JSONWritable & Sendable>(
    _ rig: APIRig, _ path: String, _ token: Secret = APIRig.admin, _ type: Item.Type = Item.self
  ) async throws -> [Item] {
    let answer = try await rig.get(path, token: token)
    try #require(answer.status == 200, "\(answer.text)")
    return try JSONDecoding.read(
      ItemsReply<Item>.self, from: JSONValue(document: answer.body), strict: true
    ).items
  }

  private func send(
    _ rig: APIRig, _ command: any Command, _ token: Secret
  ) async throws -> APIRig.Answer {
    try await rig.post(
      "/v1/commands", CommandCall(id: .random(), command).jsonBytes, token: token)
  }

  @Test func `a token is listed, used, and revoked while its person goes on`() async throws {
    let rig = try await APIRig.leading(.current)
    let ada = try await rig.invite("ada", .operator)
    let laptop = Secret(text: "wharf-person-laptop-of-ada")
    let issue = IssueToken(
      name: "laptop", token: laptop.digest, prefix: "wharf-person-lap", validHours: 24)
    #expect(try await send(rig, issue, ada).status == 200)
    var mine: [TokenItem] = try await items(rig, "/v1/tokens", ada)
    #expect(mine.map(\.name) == ["login", "laptop"])
    #expect(mine.map(\.presented) == [true, false])
    #expect(mine[1].until != nil && mine[1].lastUsed == nil && mine[1].watchedSince != nil)
    #expect(try await rig.get("/v1/whoami", token: laptop).status == 200)
    mine = try await items(rig, "/v1/persons/ada/tokens", ada)
    #expect(mine[1].lastUsed != nil)

    let revoke = RevokeToken(token: "laptop", person: .name("ada"))
    #expect(try await send(rig, revoke, APIRig.admin).status == 200)
    #expect(try await rig.get("/v1/whoami", token: laptop).status == 401)
    #expect(try await rig.get("/v1/whoami", token: ada).status == 200)
    mine = try await items(rig, "/v1/persons/ada/tokens")
    #expect(mine.map(\.name) == ["login"])
    let text = try await rig.get("/v1/tokens?everybody=true").text
    for secret in [ada, laptop, APIRig.admin] {
      #expect(!text.contains(secret.text) && !text.contains(secret.digest.description))
    }
    await rig.stop()
  }

  @Test func `nobody but an admin sees the tokens of others, or learns who there is`() async throws
  {
    let rig = try await APIRig.leading(.current)
    let ada = try await rig.invite("ada", .viewer)
    for path in [
      "/v1/persons/admin/tokens", "/v1/persons/nobody/tokens", "/v1/tokens?everybody=true",
    ] {
      let answer = try await rig.get(path, token: ada)
      #expect(answer.status == 403 && answer.failure?.code == "notAllowed", "\(path)")
    }
    #expect(try await rig.get("/v1/persons/nobody/tokens").status == 404)
    await rig.stop()
  }

  @Test func `a command that waited is refused by the state it would be appended to`() async throws
  {
    let rig = try await APIRig.leading(.current)
    let ada = try await rig.invite("ada", .operator)
    let state = rig.member.board.current.state
    let then = try #require(state.principal(presenting: ada.digest, now: state.recordedAt))
    let accepted = CommandRequest(
      id: .random(), command: RegisterProvider(name: "xai"), principal: then)
    let receipt = try await rig.member.submit(accepted)
    #expect(try await send(rig, DisablePerson(name: "ada"), APIRig.admin).status == 200)
    let late = CommandRequest(
      id: .random(), command: RegisterProvider(name: "openai"), principal: then)
    await #expect {
      _ = try await rig.member.submit(late)
    } throws: { error in
      guard case SubmitFailure.refused(let refusal, _)? = error as? SubmitFailure else {
        return false
      }
      return refusal.code == "credentialEnded"
    }
    // What was done is answered as it was, however often it is asked.
    #expect(try await rig.member.submit(accepted) == receipt)
    #expect(rig.member.board.current.state.providers.count == 1)
    await rig.stop()
  }

  @Test func `a viewer reads no address of others, in lists or in events`() async throws {
    let rig = try await APIRig.leading(.current)
    let vic = try await rig.invite("vic", .viewer)
    let invite = InvitePerson(
      name: "eve", email: try Email("eve@example.com"), role: .viewer, invitation: .numbered(77))
    #expect(try await send(rig, invite, APIRig.admin).status == 200)
    for path in [
      "/v1/persons", "/v1/persons/eve", "/v1/events?kind=person", "/v1/history/person/eve",
    ] {
      let (seen, whole) = (
        try await rig.get(path, token: vic), try await rig.get(path)
      )
      #expect(seen.status == 200 && !seen.text.contains("eve@example.com"), "\(path)")
      #expect(whole.text.contains("eve@example.com"), "\(path)")
    }
    await rig.stop()
  }
}
