// What gateways of before the news are given to go by: dates that bite unheard, and nothing that is over.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite struct OlderPoliciesTests {
  private let policies = OlderPolicies(
    assignments: Assignments(secret: APIRig.secret, limits: .usual))

  /// The team copilot may use xai/m, and has the endless key laptop.
  private func world() throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    try world.perform(PublishModel(model: "xai/m", audience: .internal, stage: .general))
    try world.perform(RegisterTeam(name: "copilot", audience: .internal))
    try world.perform(GrantAccess(team: "copilot", model: "xai/m"))
    try issue("laptop", .numbered(501), &world)
    return world
  }

  private func issue(
    _ name: Name, _ secret: Digest, until: Timestamp? = nil, _ world: inout World
  ) throws {
    try world.perform(
      IssueKey(team: "copilot", name: name, secret: secret, prefix: "wk_abc", until: until))
  }

  private func policy(_ world: World) -> Policy {
    policies.policy(
      at: Head(state: world.state, hash: .numbered(0), standing: .leading(epoch: 1)), epoch: 1,
      lastChange: .empty)
  }

  @Test func `an agreement's beginning and end are told with each grant`() throws {
    var world = try world()
    let grant = { (world: World) in try #require(policy(world).teams.first?.grants.first) }
    let end = world.now.adding(days: 730)
    #expect(try grant(world).agreementEnd == end && grant(world).notAfter == end)
    #expect(try grant(world).notBefore == nil, "it is in force")
    // The grant's own end, where that comes first.
    let sooner = world.now.adding(days: 1)
    try world.perform(GrantAccess(team: "copilot", model: "xai/m", until: sooner))
    #expect(try grant(world).agreementEnd == end && grant(world).notAfter == sooner)
    try world.perform(GrantAccess(team: "copilot", model: "xai/m"))

    let last = world.now.adding(seconds: 10)
    try world.perform(TerminateAgreement(provider: "xai", end: last))
    #expect(try grant(world).agreementEnd == last && grant(world).notAfter == last)
    // The next one is signed as soon as that has ended, and begins later: the grant is there still.
    world.pass(seconds: 10)
    let from = world.now.adding(days: 30)
    try world.perform(
      SignAgreement(
        provider: "xai",
        terms: Terms(
          scope: [.inference], audiences: [.internal], from: from, until: nil, noticeDays: 0)))
    #expect(try grant(world).notBefore == from)
    #expect(try grant(world).agreementEnd == nil && grant(world).notAfter == nil)
    world.pass(seconds: 31 * 86_400)
    try world.perform(PlaceMark(name: "later"))
    #expect(try grant(world).notBefore == from, "whose clock is behind waits for it, too")
  }

  @Test func `a key that has ended by the log's time is not in it, noted or not`() throws {
    var world = try world()
    let end = world.now.adding(seconds: 10)
    try issue("brief", .numbered(502), until: end, &world)
    try issue("rotated", .numbered(503), &world)
    try world.perform(
      RotateKey(
        team: "copilot", name: "rotated", secret: .numbered(504), prefix: "wk_def",
        graceSeconds: 10))
    func ends() -> [Digest: Timestamp?] {
      Dictionary(uniqueKeysWithValues: policy(world).keys.map { ($0.digest, $0.notAfter) })
    }
    let all: [Digest: Timestamp?] = [
      .numbered(501): nil, .numbered(502): end, .numbered(503): end, .numbered(504): nil,
    ]
    #expect(ends() == all)
    world.pass(seconds: 9)
    try world.perform(PlaceMark(name: "before"))
    #expect(ends() == all)
    // However late a gateway's clock is: nobody noted an end, but the log knows what time it is.
    world.pass(seconds: 1)
    try world.perform(PlaceMark(name: "then"))
    let left: [Digest: Timestamp?] = [.numbered(501): nil, .numbered(504): nil]
    #expect(ends() == left)
    let position = policy(world).position
    #expect(position == world.state.position)
    let due = world.state.dueEndings(at: world.now).commands
    #expect(due.count == 1)
    for command in due { try world.perform(command, by: .wharfd) }
    #expect(world.state.position > position)
    #expect(policy(world).position == position, "that it is noted changes nothing more")
  }
}
