// What a node is told to run: everything of it that a version, a deployment or an agreement says.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite struct AssignmentsTests {
  /// A node's assignment, as its agent reads it.
  private func told(_ world: World, _ node: ID<Node>) throws -> [AssignedAttempt] {
    let assignments = Assignments(secret: APIRig.secret, limits: .usual)
    let head = Head(state: world.state, hash: .numbered(0), standing: .starting)
    let made = assignments.assignment(of: try #require(world.state.nodes[node]), in: head)
    return try Assignment(jsonBytes: made.jsonBytes).attempts
  }

  @Test func `where the weights of a version lie and which they are is told with each attempt`()
    throws
  {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    try world.perform(
      AddModelVersion(
        model: "xai/m:2", engine: "sim", needs: .devices(1), arguments: nil, modelPath: "/m",
        weights: .numbered(3)))
    let node = try world.addNode("n1")
    for (index, version) in (["xai/m:1", "xai/m:2"] as [ModelReference]).enumerated() {
      let deployment = try world.addDeployment(
        try Name("grok-\(index)"), of: version, replicas: 1)
      try world.perform(
        PlaceReplicas(
          deployment: deployment,
          placements: [
            Placement(replica: 1, node: node, devices: ["d\(index)"], reason: "a test")
          ]), by: .wharfd)
    }
    let told = try told(world, node).sorted { $0.replicaName < $1.replicaName }
    #expect(told.map(\.replicaName) == ["grok-0-1", "grok-1-1"])
    #expect(told.map(\.weights) == [nil, .numbered(3)])
    #expect(told.map(\.modelPath) == [nil, "/m"])
  }
}
