// What the specifications of deciders begin with.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

extension Given {
  /// xai with an agreement on inference for both audiences, for two years from now.
  static let provider = Given().with { try $0.addProvider("xai") }

  /// And the model xai/grok with version 1 of two devices, under embargo.
  static let model = provider.with { try $0.addModel("xai/grok", needs: .devices(2)) }

  /// And published to internal teams, with the internal team copilot and the external team acme.
  static let teams = model.and([
    PublishModel(model: "xai/grok", audience: .internal, stage: .general),
    RegisterTeam(name: "copilot", audience: .internal),
    RegisterTeam(name: "acme", audience: .external),
  ])

  /// And a node n1 of four devices, with the deployment grok of two replicas.
  static let deployed = model.with { world in
    try world.addNode("n1")
    try world.addDeployment("grok", of: "xai/grok:1", replicas: 2)
  }

  /// And both replicas placed on n1.
  static let placed = deployed.with { world in
    let grok = world.grok
    try world.perform(
      PlaceReplicas(
        deployment: grok,
        placements: [world.placement(1, ["d0", "d1"]), world.placement(2, ["d2", "d3"])]),
      by: .wharfd)
  }
}

extension World {
  /// A log at the first format level.
  static let ofBefore = World(formatLevel: FormatLevel.first)

  var grok: ID<Deployment> { state.deployments.named("grok")?.id ?? ID(0) }
  var n1: ID<Node> { state.nodes.named("n1")?.id ?? ID(0) }
  var xai: ID<Provider> { state.providers.named("xai")?.id ?? ID(0) }
  var model: ID<Model> { state.models.keyed("xai/grok")?.id ?? ID(0) }
  var agreement: ID<Agreement> { state.providers.named("xai")?.agreement ?? ID(0) }

  func placement(_ replica: Int, _ devices: [String], on node: Name = "n1") -> Placement {
    Placement(
      replica: replica, node: state.nodes.named(node)?.id ?? ID(0), devices: devices, reason: "test"
    )
  }

  func attempt(_ number: Int) -> Attempt? {
    state.deployments[grok]?.replicas[number]?.attempt.flatMap { state.attempts[$0] }
  }
}
