// A caller that saw more than is here shows it: what a wharfd sealed is heeded, whoever comes with it, and what
// somebody made up stops nothing, whoever that is.

import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite(.database, .bounded) struct SealedHeadTests {
  private func isLeading(_ rig: APIRig) -> Bool {
    if case .leading = rig.member.board.current.standing { true } else { false }
  }

  /// Of the log that there is, and far past its end.
  private func beyond(_ rig: APIRig) -> HeadWitness {
    HeadWitness(
      era: rig.member.board.current.witness.era, position: Position(1_000_000), hash: .zero)
  }

  private func show(
    _ rig: APIRig, _ sealed: SealedHead, _ token: Secret, at path: String = "/v1/whoami"
  ) async throws -> APIRig.Answer {
    try await rig.get(
      path, token: token,
      headers: [
        WharfHeader.seen: sealed.head.headerText, WharfHeader.sealedHead: sealed.headerText,
      ])
  }

  @Test func `what nobody sealed stops nothing, whoever shows it`() async throws {
    let rig = try await APIRig.leading(.current)
    let credential = Secret(text: "wharf-gateway-of-a-test")
    let admin = try #require(
      rig.member.board.current.state.principal(
        presenting: APIRig.admin.digest, now: rig.member.board.current.state.recordedAt))
    try await rig.submit(RegisterGateway(name: "edge", credential: credential.digest), by: admin)
    let own = SealedHead(rig.member.board.current.witness, by: APIRig.secret)
    let other = ClusterSecret(bytes: [UInt8](repeating: 9, count: ClusterSecret.byteCount))
    for made in [
      SealedHead(head: beyond(rig), seal: .zero), SealedHead(head: beyond(rig), seal: own.seal),
      SealedHead(beyond(rig), by: other),
    ] {
      for token in [APIRig.admin, credential, Secret(text: "nobody's")] {
        _ = try await show(rig, made, token)
        #expect(isLeading(rig) && rig.member.board.obstacle == nil)
      }
    }
    try await rig.submit(PlaceMark(name: Name(known: "after")), by: admin)
    await rig.stop()
  }

  @Test(arguments: ["viewer", "nobody"])
  func `what a wharfd sealed is heeded, whoever shows it`(who: String) async throws {
    let rig = try await APIRig.leading(.current)
    let token = who == "viewer" ? try await rig.invite("eve", .viewer) : Secret(text: "nobody's")
    let answer = try await show(
      rig, SealedHead(beyond(rig), by: APIRig.secret), token, at: "/health")
    #expect(answer.status == 503)
    try await eventually("it says why") { rig.member.board.obstacle != nil }
    let names = rig.member.board.obstacle?.contains(" showed it)")
    #expect(names == (who == "viewer"), "\(rig.member.board.obstacle ?? "")")
    #expect(!isLeading(rig))
    await rig.stop()
  }

  @Test func `each answer has the seal of the head that it tells, a refusal too`() async throws {
    let rig = try await APIRig.leading(.current)
    for (path, token) in [
      ("/v1/whoami", APIRig.admin), ("/v1/whoami", Secret(text: "nobody's")),
      ("/health", APIRig.admin), ("/v1/nowhere", APIRig.admin),
    ] {
      let answer = try await rig.get(path, token: token)
      let sealed = try #require(answer.sealed, "\(path): \(answer.status)")
      #expect(sealed.head == answer.head && sealed.isGenuine(by: APIRig.secret))
      #expect(SealedHead(headerText: sealed.headerText) == sealed)
    }
    for text in ["", "none", "1/2", "1/2/3/4", "\(beyond(rig).headerText)/", "/"] {
      #expect(SealedHead(headerText: text) == nil)
    }
    await rig.stop()
  }
}
