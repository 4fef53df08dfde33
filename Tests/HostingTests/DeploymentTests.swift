// Deployments: what people decide, and what the reconciler's decisions do at the head.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct DeploymentTests {
  private func created(replicas: Int, workload: Workload = .inference, exclusive: Bool = false)
    -> DeploymentCreated
  {
    DeploymentCreated(
      name: "d", model: Given.model.world.model, version: "1", workload: workload,
      replicas: replicas, exclusive: exclusive)
  }

  @Test func `a deployment is of a version, by its label or an alias`() {
    let create = CreateDeployment(name: "d", model: "xai/grok:1", replicas: 2)
    Given.model.when(create).then(created(replicas: 2)).when(create).thenRefused("nameTaken")
    Given.model.and(AliasModel(model: "xai/grok:1", alias: "stable"))
      .when(CreateDeployment(name: "d", model: "xai/grok:stable", replicas: 0, exclusive: true))
      .then(created(replicas: 0, exclusive: true))
  }

  @Test func `a deployment that cannot be is refused`() {
    let create = { (model: ModelReference, replicas: Int) in
      CreateDeployment(name: "d", model: model, replicas: replicas)
    }
    Given.model.when(create("xai/grok", 1)).thenRefused("versionMissing")
    Given.model.when(create("xai/grok:9", 1)).thenRefused("unknownVersion")
    Given.model.when(create("xai/x:1", 1)).thenRefused("unknownModel")
    Given.model.when(create("xai/grok:1", -1)).thenRefused("replicasOutOfRange")
    Given.model.when(create("xai/grok:1", 100_001)).thenRefused("replicasOutOfRange")
    Given.model.and(DeprecateModel(model: "xai/grok")).when(create("xai/grok:1", 1))
      .thenRefused("modelDeprecated")
  }

  @Test func `scaling up makes replicas, scaling down leaves the choice to the planner`() {
    let scale = { ScaleDeployment(deployment: "grok", replicas: $0) }
    let up = Given.deployed.when(scale(5)).then(DeploymentScaled(replicas: 5))
    up.when(scale(5)).thenNothing()
    let down = up.when(scale(1)).then(DeploymentScaled(replicas: 1))
    #expect(down.world.state.deployments[down.world.grok]?.surplus == 4)
    #expect(down.world.state.unsettled.contains(down.world.grok))
    Given.deployed.when(scale(-1)).thenRefused("replicasOutOfRange")
    Given.deployed.when(ScaleDeployment(deployment: "x", replicas: 1)).thenRefused(
      "unknownDeployment")
    let suspended = Given.deployed.and(SuspendProvider(provider: "xai"))
    suspended.when(scale(3)).thenRefused("providerSuspended")
    suspended.when(scale(1)).then(DeploymentScaled(replicas: 1))
  }

  @Test func `a deleted deployment keeps its name until its last attempt has ended`() {
    let delete = DeleteDeployment(deployment: "grok")
    let deleted = Given.placed.when(delete).then(DeploymentDeleted(leaving: true))
    deleted.when(delete).thenNothing()
    deleted.when(ScaleDeployment(deployment: "grok", replicas: 1)).thenRefused("deploymentDeleted")
    deleted.when(CreateDeployment(name: "grok", model: "xai/grok:1", replicas: 1))
      .thenRefused("nameTaken")
    #expect(deleted.world.state.attempts.values.allSatisfy { $0.stopping })
    let gone = Given.deployed.when(delete).then(DeploymentDeleted(leaving: true))
    gone.when(delete).thenRefused("unknownDeployment")
  }

  @Test func `what was ready leaves the routes first, and is told to stop once it was left`() throws
  {
    let ready = Given.placed.with { try $0.becomeReady() }
    let deleted = ready.when(DeleteDeployment(deployment: "grok"))
      .then(DeploymentDeleted(leaving: true))
    let leaving = deleted.world.state.attempts.values.sorted { $0.id < $1.id }
    #expect(leaving.count == 2 && leaving.allSatisfy { !$0.isWanted && !$0.stopping })
    #expect(deleted.world.state.leaving.count == 2)
    let node = try #require(deleted.world.state.nodes.sorted.first)
    #expect(deleted.world.state.wantedAttempts(on: node).count == 2, "they run on")
    let first = DismissAttempts(
      deployment: deleted.world.grok, attempts: [leaving[0].id], enforced: 99)
    let dismissed = deleted.when(first, by: .wharfd)
      .then(AttemptsDismissed(attempts: [leaving[0].id], enforced: 99))
    dismissed.when(first, by: .wharfd).thenNothing()
    let state = dismissed.world.state
    #expect(state.attempts[leaving[0].id]?.stopReason == "deployment deleted")
    #expect(state.leaving.count == 1)
    #expect(state.wantedAttempts(on: try #require(state.nodes.sorted.first)).count == 1)
    deleted.when(first).thenRefused("notAllowed")
  }
}

@Suite struct ReconcilerCommandTests {
  private let grok = Given.deployed.world.grok
  private let world = Given.deployed.world

  private func place(_ placements: Placement...) -> PlaceReplicas {
    PlaceReplicas(deployment: grok, placements: placements)
  }

  @Test func `what no longer fits falls out, the rest is placed`() {
    let sound = world.placement(1, ["d0", "d1"])
    let unsound = [
      world.placement(2, ["d1", "d2"]), world.placement(2, ["d2"]),
      world.placement(2, ["d2", "d2"]),
      world.placement(2, ["d2", "d9"]), world.placement(2, ["d2", "d3"], on: "n9"),
      world.placement(9, ["d2", "d3"]), world.placement(1, ["d2", "d3"]),
    ]
    for other in unsound {
      Given.deployed.when(place(sound, other), by: .wharfd).then(
        ReplicasPlaced(placements: [sound]))
    }
    Given.deployed.when(place(sound)).thenRefused("notAllowed")
  }

  @Test func `a replica is placed once, and again only when its node is lost`() {
    let sound = world.placement(1, ["d0", "d1"])
    let placed = Given.deployed.when(place(sound), by: .wharfd).then(
      ReplicasPlaced(placements: [sound]))
    placed.when(place(world.placement(1, ["d2", "d3"])), by: .wharfd).thenNothing()
    let elsewhere = placed.with { try $0.addNode("n2") }
    let moved = elsewhere.world.placement(1, ["d0", "d1"], on: "n2")
    elsewhere.when(place(moved), by: .wharfd).thenNothing()
    let after = elsewhere.and(DeclareNodeLost(node: world.n1, silentSeconds: 80), by: .wharfd)
      .when(place(moved), by: .wharfd).then(ReplicasPlaced(placements: [moved]))
    #expect(after.world.state.attempts.values.filter { !$0.stopping }.count == 1)
    #expect(after.world.state.deployments[grok]?.charged == 2)
    #expect(after.world.state.deployments[grok]?.placedOn.count == 1)
  }

  @Test func `nothing is placed on a node that is closed, nor for who is barred, nor once deleted`()
  {
    let sound = place(world.placement(1, ["d0", "d1"]))
    Given.deployed.and(CordonNode(node: "n1")).when(sound, by: .wharfd).thenNothing()
    Given.deployed.and(DeclareNodeLost(node: world.n1, silentSeconds: 80), by: .wharfd)
      .when(sound, by: .wharfd).thenNothing()
    Given.deployed.and(SuspendProvider(provider: "xai")).when(sound, by: .wharfd).thenNothing()
    Given.deployed.passed(days: 730).when(sound, by: .wharfd).thenNothing()
    Given.deployed.and(DeleteDeployment(deployment: "grok")).when(sound, by: .wharfd).thenNothing()
  }

  @Test func `a reason is noted where it changed, and only for who waits`() {
    let note = NoteWaiting(deployment: grok, replicas: [1, 2, 9], reason: .notEnoughDevices)
    let noted = Given.deployed.when(note, by: .wharfd)
      .then(ReplicasWaiting(replicas: [1, 2], reason: .notEnoughDevices))
    noted.when(note, by: .wharfd).thenNothing()
    Given.placed.when(note, by: .wharfd).thenNothing()
    Given.deployed.when(NoteWaiting(deployment: ID(99), replicas: [1], reason: .new), by: .wharfd)
      .thenNothing()
    Given.deployed.when(note).thenRefused("notAllowed")
  }

  @Test func `never more replicas are removed than are too many`() {
    let remove = RemoveReplicas(deployment: grok, replicas: [2, 1, 9])
    Given.placed.when(remove, by: .wharfd).thenNothing()
    let removed = Given.placed.and(ScaleDeployment(deployment: "grok", replicas: 1))
      .when(remove, by: .wharfd).then(ReplicasRemoved(replicas: [2], reason: "scaled down"))
    removed.when(remove, by: .wharfd).thenNothing()
    // Its attempt stops, and stays charged until its end is proved.
    #expect(removed.world.state.attempts.values.count { $0.stopping } == 1)
    #expect(removed.world.state.nodes[world.n1]?.charges.count == 4)
    Given.placed.when(RemoveReplicas(deployment: ID(99), replicas: [1]), by: .wharfd).thenNothing()
    Given.placed.when(remove).thenRefused("notAllowed")
  }

  @Test func `attempts are stopped only for who is barred`() {
    let stop = StopAttempts(deployment: grok)
    Given.placed.when(stop, by: .wharfd).thenNothing()
    let suspended = Given.placed.and(SuspendProvider(provider: "xai"))
    suspended.when(stop, by: .wharfd)
      .then(AttemptsStopped(replicas: [1, 2], reason: .providerSuspended))
      .when(stop, by: .wharfd).thenNothing()
    Given.placed.passed(days: 730).when(stop, by: .wharfd)
      .then(AttemptsStopped(replicas: [1, 2], reason: .agreementEnded))
    Given.placed.when(StopAttempts(deployment: ID(99)), by: .wharfd).thenNothing()
    suspended.when(stop).thenRefused("notAllowed")
  }

  @Test func `failures double the wait for the next try, up to five minutes`() throws {
    var replica = Replica(
      id: ReplicaID(deployment: 1, number: 1), madeAt: World.start, waitingSince: World.start)
    var waits: [Double] = []
    for _ in 0..<11 {
      replica.fail("exit code 1", afterSteady: false, at: World.start)
      waits.append(replica.retryAt?.seconds(since: World.start) ?? 0)
    }
    #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
    replica.fail("exit code 1", afterSteady: true, at: World.start)
    #expect(replica.failures == 1)
  }
}
