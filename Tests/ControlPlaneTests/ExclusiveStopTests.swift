// What a node is told of an exclusive replica: to have ended before another node may start it.

import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

@Suite struct ExclusiveStopTests {
  /// Two replicas on one node, of an engine that has ten minutes to stop: one of them exclusive.
  private func world() throws -> World {
    var world = World()
    var launch = Launch.test()
    launch.stopGraceSeconds = 600
    try world.perform(DefineEngine(launch: launch, tasks: [.chat]))
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    let node = try world.addNode("n1", .devices(2))
    for (device, name) in ["alone", "shared"].enumerated() {
      let id = try world.addDeployment(
        Name(name), of: "xai/m:1", replicas: 1, exclusive: name == "alone")
      try world.perform(
        PlaceReplicas(
          deployment: id,
          placements: [
            Placement(replica: 1, node: node, devices: ["d\(device)"], reason: "a test")
          ]), by: .wharfd)
    }
    return world
  }

  @Test(arguments: [10, 75, 3_600])
  func `its engine may not take longer to stop than is left of the silence`(
    nodeLostSeconds: Int
  ) throws {
    let world = try world()
    let limits = SilenceLimits(nodeLostSeconds: nodeLostSeconds)
    let node = try #require(world.state.nodes.sorted.first)
    let told = Assignments(secret: APIRig.secret, limits: limits).assignment(
      of: node, in: Head(state: world.state, hash: .zero, standing: .following(address: nil)))
    let alone = try #require(told.attempts.first { $0.replicaName == "alone-1" })
    let shared = try #require(told.attempts.first { $0.replicaName == "shared-1" })
    #expect(alone.exclusive && !shared.exclusive)
    // A second is for its agent, to see the end.
    #expect(Double(alone.launch.stopGraceSeconds) <= limits.exclusiveStopSeconds - 1)
    #expect(alone.launch.stopGraceSeconds > 0)
    #expect(shared.launch.stopGraceSeconds == 600)
  }
}
