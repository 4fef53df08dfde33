// Why a team may use a model or not, and what would help.

import HashTreeCollections
import Hosting
import TestKit
import Testing

@testable import Planner

@Suite struct AccessExplanationTests {
  private func world() throws -> World {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    try world.perform(RegisterTeam(name: "copilot", audience: .internal))
    return world
  }

  private func why(_ world: World) throws -> Explanation {
    let team = try #require(world.state.teams.named("copilot")).id
    let model = try #require(world.state.models.keyed("xai/m")).id
    return try #require(explain(accessOf: team, to: model, world.state, now: world.now))
  }

  @Test func `each step that is named was tried, and all of them lead there`() throws {
    var world = try world()
    #expect(try why(world).verdict.contains("no such model: it is not published to internal"))
    let steps = [
      "wharf model publish xai/m --audience internal --stage general",
      "wharf team grant copilot xai/m",
    ]
    #expect(try why(world).remedies == steps)
    try world.perform(PublishModel(model: "xai/m", audience: .internal, stage: .general))
    #expect(try why(world).verdict == "team copilot has no access to xai/m")
    #expect(try why(world).remedies == [steps[1]])
    try world.perform(GrantAccess(team: "copilot", model: "xai/m"))
    #expect(try why(world).verdict.hasPrefix("it may use it until "))
    #expect(try why(world).remedies.isEmpty)
    #expect(try why(world).facts[0].hasPrefix("granted at position \(world.state.position), on "))
  }

  @Test func `a suspended provider comes before all that depends on it`() throws {
    var world = try world()
    try world.perform(PublishModel(model: "xai/m", audience: .internal, stage: .general))
    try world.perform(GrantAccess(team: "copilot", model: "xai/m"))
    try world.perform(SuspendProvider(provider: "xai"))
    #expect(try why(world).verdict == "xai/m is not served: provider xai is suspended")
    #expect(try why(world).remedies == ["wharf provider reinstate xai"])
    try world.perform(RevokeAccess(team: "copilot", model: "xai/m"))
    #expect(
      try why(world).remedies == ["wharf provider reinstate xai", "wharf team grant copilot xai/m"])
    #expect(try why(world).facts[0].hasPrefix("its grant was revoked on "))
  }

  @Test func `an agreement that is over is signed anew, one that is too narrow is widened`() throws
  {
    var world = try world()
    try world.perform(PublishModel(model: "xai/m", audience: .internal, stage: .general))
    try world.perform(GrantAccess(team: "copilot", model: "xai/m"))
    let end = world.now.adding(seconds: 10)
    try world.perform(TerminateAgreement(provider: "xai", end: end))
    world.pass(seconds: 10)
    #expect(try why(world).verdict.contains("the agreement with xai ended at "))
    #expect(
      try why(world).remedies.first
        == "wharf agreement sign xai --scope inference --audience internal …")
    let from = world.now.adding(days: 30)
    try world.perform(
      SignAgreement(
        provider: "xai",
        terms: Terms(
          scope: [.training], audiences: [.internal], from: from, until: nil, noticeDays: 0)))
    #expect(try why(world).verdict.contains("no agreement with xai that covers team copilot"))
    #expect(
      try why(world).remedies == [
        "wharf agreement amend xai --scope inference,training",
        "wait until the agreement is in force, from \(from.short) UTC",
      ])
  }
}
