// Models: onboarded under embargo, opened audience by audience, retired at last.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct ModelTests {
  private func version(
    _ reference: ModelReference, engine: Name = "sim", needs: Needs = .devices(2),
    arguments: [String]? = nil
  ) -> AddModelVersion {
    AddModelVersion(
      model: reference, engine: engine, needs: needs, arguments: arguments, modelPath: nil,
      weights: nil)
  }

  @Test func `a model is onboarded once, under an agreement`() {
    let onboard = OnboardModel(model: "xai/grok", task: .chat, contextLength: 131_072)
    Given.provider.when(onboard)
      .then(ModelOnboarded(provider: ID(1), name: "grok", task: .chat, contextLength: 131_072))
      .when(OnboardModel(model: "XAI/Grok", task: .chat, contextLength: nil)).thenRefused(
        "nameTaken")
    given().when(onboard).thenRefused("unknownProvider")
    given(RegisterProvider(name: "xai")).when(onboard).thenRefused("noAgreement")
    for length in [0, -1, 100_000_001] {
      Given.provider.when(OnboardModel(model: "xai/grok", task: .chat, contextLength: length))
        .thenRefused("contextOutOfRange")
    }
  }

  @Test func `a version that is named where all of the model is meant is not passed over`() {
    let commands: [any Command] = [
      OnboardModel(model: "xai/new:1", task: .chat, contextLength: nil),
      PublishModel(model: "xai/grok:1", audience: .internal, stage: .general),
      DeprecateModel(model: "xai/grok:1"), RetireModel(model: "xai/grok:1"),
      RevokeAccess(team: "copilot", model: "xai/grok:1"),
    ]
    for command in commands {
      Given.teams.when(command).thenRefused("versionNamed", saying: "not to one version of it")
    }
  }

  @Test func `a version takes over its engine's launch, and never changes`() {
    var launch = Launch.test()
    launch.command += ["--fast"]
    Given.model.when(version("xai/grok:2", arguments: ["--fast"]))
      .then(
        ModelVersionAdded(
          version: "2", launch: launch, needs: .devices(2), modelPath: nil, weights: nil,
          arguments: ["--fast"])
      ).when(version("xai/grok:2", arguments: ["--fast"])).thenNothing()
    Given.model.when(version("xai/grok:1", needs: .devices(4))).thenRefused("nameTaken")
  }

  @Test
  func `a version's own arguments are kept apart, so it is known again when its engine changed`() {
    var (launch, anew) = (Launch.test(), Launch.test())
    launch.command += ["--fast"]
    anew.command += ["--new"]
    let fast = version("xai/grok:2", arguments: ["--fast"])
    let kept = Given.model.and(fast)
    let changed = kept.and(DefineEngine(launch: anew, tasks: [.chat]))
    for world in [kept, changed] {
      world.when(fast).thenNothing()
      world.when(version("xai/grok:2")).thenRefused("nameTaken", saying: "differs")
      world.when(version("xai/grok:2", arguments: ["--fast", "--new"])).thenRefused("nameTaken")
    }
  }

  @Test func `a log that older programs read holds no arguments of a version's own`() throws {
    var world = World(formatLevel: FormatLevel.kept - 1)
    try world.addProvider("xai")
    try world.addModel("xai/grok:1", needs: .devices(2))
    let fast = version("xai/grok:2", arguments: ["--fast"])
    var launch = Launch.test()
    launch.command += ["--fast"]
    Given(world).when(fast)
      .then(
        ModelVersionAdded(
          version: "2", launch: launch, needs: .devices(2), modelPath: nil, weights: nil)
      ).when(fast).thenNothing()
      .when(version("xai/grok:2")).thenRefused("nameTaken")
  }

  @Test func `an alias is no label for a version to be added`() {
    let aliased = Given.model.and(AliasModel(model: "xai/grok:1", alias: "latest"))
    for wanted in [version("xai/grok:latest"), version("xai/grok:LATEST", needs: .devices(7))] {
      aliased.when(wanted).thenRefused("nameTaken", saying: "is an alias of its version 1")
    }
  }

  @Test func `a version that cannot run is refused`() {
    Given.model.when(version("xai/other:1")).thenRefused("unknownModel")
    Given.model.when(version("xai/grok")).thenRefused("versionMissing")
    Given.model.when(version("xai/grok:2", engine: "vllm")).thenRefused("unknownEngine")
    Given.model.when(version("xai/grok:2", needs: .devices(65))).thenRefused("needsOutOfRange")
    Given.model.when(version("xai/grok:2", needs: .devices(-1))).thenRefused("needsOutOfRange")
    Given.model.when(version("xai/grok:2", needs: .devices(1, cpuMillis: -1)))
      .thenRefused("needsOutOfRange")
    Given.model.and(DefineEngine(launch: .test("tei"), tasks: [.embedding]))
      .when(version("xai/grok:2", engine: "tei")).thenRefused(
        "engineLacksTask", saying: "embedding")
    Given.model.and(RetireModel(model: "xai/grok")).when(version("xai/grok:2"))
      .thenRefused("modelRetired")
  }

  @Test func `an alias is taken away, and is no version`() {
    let aliased = Given.model.and(AliasModel(model: "xai/grok:1", alias: "stable"))
    aliased.when(UnaliasModel(model: "xai/grok:Stable")).then(ModelUnaliased(alias: "Stable"))
      .when(UnaliasModel(model: "xai/grok:stable")).thenRefused("unknownAlias")
    aliased.when(UnaliasModel(model: "xai/grok:1")).thenRefused("unknownAlias", saying: "version")
    aliased.when(UnaliasModel(model: "xai/grok")).thenRefused("aliasMissing")
    let world = aliased.and(UnaliasModel(model: "xai/grok:stable")).world
    #expect(world.state.models.keyed("xai/grok")?.aliases.isEmpty == true)
  }

  @Test func `publishing opens one audience, in stages`() {
    let preview = PublishModel(model: "xai/grok", audience: .internal, stage: .preview)
    let published = Given.model.when(preview)
      .then(ModelPublished(audience: .internal, stage: .preview))
    published.when(preview).thenNothing()
    published.when(PublishModel(model: "xai/grok", audience: .internal, stage: .general))
      .then(ModelPublished(audience: .internal, stage: .general))
    Given.model.when(PublishModel(model: "xai/x", audience: .internal, stage: .general))
      .thenRefused("unknownModel")
    Given.model.and(RetireModel(model: "xai/grok")).when(preview).thenRefused("modelRetired")
    Given.model.and(
      AmendAgreement(
        provider: "xai", scope: nil, audiences: [.internal], until: nil, noticeDays: nil)
    ).when(PublishModel(model: "xai/grok", audience: .external, stage: .general))
      .thenRefused("audienceNotCovered", saying: "external")
  }

  @Test func `an alias names a version and may move`() {
    let alias = AliasModel(model: "xai/grok:1", alias: "stable")
    let aliased = Given.model.when(alias).then(ModelAliased(alias: "stable", version: "1"))
    aliased.when(alias).thenNothing()
    aliased.and(version("xai/grok:2")).when(AliasModel(model: "xai/grok:2", alias: "stable"))
      .then(ModelAliased(alias: "stable", version: "2"))
    Given.model.when(AliasModel(model: "xai/grok:1", alias: "1")).thenRefused("nameTaken")
    Given.model.when(AliasModel(model: "xai/grok", alias: "stable")).thenRefused("versionMissing")
    Given.model.when(AliasModel(model: "xai/grok:9", alias: "stable")).thenRefused("unknownVersion")
    Given.model.when(AliasModel(model: "xai/x:9", alias: "stable")).thenRefused("unknownModel")
  }

  @Test func `a model is deprecated, then retired once nothing runs it`() {
    let deprecated = Given.model.when(DeprecateModel(model: "xai/grok")).then(ModelDeprecated())
    deprecated.when(DeprecateModel(model: "xai/grok")).thenNothing()
    let retired = deprecated.when(RetireModel(model: "xai/grok")).then(ModelRetired())
    retired.when(RetireModel(model: "xai/grok")).thenNothing()
    Given.deployed.when(RetireModel(model: "xai/grok")).thenRefused("modelInUse", saying: "grok")
    given().when(DeprecateModel(model: "xai/x")).thenRefused("unknownModel")
    given().when(RetireModel(model: "xai/x")).thenRefused("unknownModel")
  }
}
