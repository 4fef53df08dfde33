// Replicas that are restarted: on a person's word, because they do not answer, or because their key is
// lost.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct RestartTests {
  private let agent = Principal.agent(Given.placed.world.n1)

  private func attempt(_ given: Given, _ number: Int = 1) -> Attempt? {
    given.world.attempt(number)
  }

  private func replica(_ given: Given, _ number: Int = 1) -> Replica? {
    given.world.state.deployments[given.world.grok]?.replicas[number]
  }

  @Test func `on a person's word it stops and waits for a place, and nothing counts against it`()
    throws
  {
    let before = try #require(attempt(.placed))
    let after = Given.placed.when(RestartReplica(deployment: "grok", number: 1))
      .then(ReplicasRestarted(replicas: [1], cause: .asked))
    let state = after.world.state
    #expect(state.attempts[before.id]?.stopping == true)
    #expect(
      state.nodes[after.world.n1]?.charges.values.contains(before.id) == true, "it is charged")
    #expect(replica(after)?.attempt == nil && replica(after)?.waiting == .new)
    #expect(replica(after)?.failures == 0 && replica(after)?.retryAt == nil)
    #expect(replica(after, 2)?.attempt != nil, "nobody asked for the other one")
    after.when(RestartReplica(deployment: "grok", number: 1)).thenRefused("nothingToRestart")
    Given.placed.when(RestartReplica(deployment: "grok", number: 9)).thenRefused("unknownReplica")
    Given.placed.when(RestartReplica(deployment: "grok", number: 1), by: agent)
      .thenRefused("notAllowed")
  }

  @Test func `gateways leave one that is ready before its engine is told to stop`() throws {
    let ready = Given.placed.with { world in
      try world.report(world.n1) { ObservedAttempt($0, .ready) }
    }
    let before = try #require(attempt(ready))
    let after = ready.when(RestartReplica(deployment: "grok", number: 1))
      .then(ReplicasRestarted(replicas: [1], cause: .asked, leaving: true))
    let left = after.world.state.attempts[before.id]
    #expect(left?.leaving?.reason == "restarted on a person's word" && left?.stopping == false)
    #expect(after.world.state.leaving.contains(before.id))
    #expect(replica(after)?.attempt == nil && replica(after)?.waiting == .new)
  }

  @Test func `one that backs off is tried at once`() throws {
    let ended = try #require(attempt(.placed)).id
    let failed = Given.placed.with { world in
      try world.report(world.n1) { attempt in
        attempt.id == ended
          ? ObservedAttempt(attempt, .ended, exitCode: 1) : ObservedAttempt(asKnown: attempt)
      }
    }
    #expect(replica(failed)?.retryAt != nil)
    let after = failed.when(RestartReplica(deployment: "grok", number: 1))
      .then(ReplicasRestarted(replicas: [1], cause: .asked))
    #expect(replica(after)?.retryAt == nil && replica(after)?.failures == 0)
  }

  @Test func `one that answers nobody counts a failure, with the numbers`() throws {
    let id = try #require(attempt(.placed)).id
    let command = RestartAttempts(
      deployment: Given.placed.world.grok, attempts: [id], cause: .unanswering,
      requests: RequestCounts(asked: 9, gaveUp: 7))
    let after = Given.placed.when(command, by: .wharfd)
      .then(
        ReplicasRestarted(
          replicas: [1], cause: .unanswering, requests: RequestCounts(asked: 9, gaveUp: 7)))
    #expect(replica(after)?.failures == 1)
    #expect(replica(after)?.lastFailure == "it answers no request: 7 given up on in a minute")
    #expect(replica(after)?.lastFailed == id)
    // What it was found of is gone.
    after.when(command, by: .wharfd).thenNothing()
    Given.placed.when(command).thenRefused("notAllowed")
    let older = Given.placed.happened(FormatLevelRaised(level: FormatLevel.first), on: .log)
    older.when(command, by: .wharfd).thenNothing()
  }

  @Test func `of an exclusive one nothing else is placed before its end is proved`() throws {
    let exclusive = Given.deployed.with { world in
      let alone = try world.addDeployment("alone", of: "xai/grok:1", replicas: 1, exclusive: true)
      try world.perform(
        PlaceReplicas(deployment: alone, placements: [world.placement(1, ["d0", "d1"])]),
        by: .wharfd)
    }
    let deployment = try #require(exclusive.world.state.deployments.named("alone"))
    let id = try #require(deployment.replicas[1]?.attempt)
    let after = exclusive.and(RestartReplica(deployment: "alone", number: 1))
    let replica = after.world.state.deployments.named("alone")?.replicas[1]
    #expect(replica?.attempt == id)
    #expect(after.world.state.mayBePlaced(try #require(replica)) == false)
    // Asked again, it is under way.
    after.when(RestartReplica(deployment: "alone", number: 1)).thenNothing()
    let gone = after.with { world in
      try world.report(try #require(world.state.attempts[id]).node) { attempt in
        attempt.id == id
          ? ObservedAttempt(attempt, .ended, exitCode: 0) : ObservedAttempt(asKnown: attempt)
      }
    }
    let next = gone.world.state.deployments.named("alone")?.replicas[1]
    #expect(next?.attempt == nil && next?.failures == 0)
  }

  @Test func `what was started with a secret that is lost is not ready, until it is started anew`()
    throws
  {
    var given = Given.placed.happened(ClusterSecretRecorded(fingerprint: .numbered(1)), on: .log)
    given = given.with { try $0.becomeReady() }
    #expect(given.world.state.isReady(try #require(replica(given))))
    let same = given.happened(ClusterSecretRecorded(fingerprint: .numbered(1)), on: .log)
    #expect(same.world.state.lostSecretAttempts.isEmpty)
    let lost = given.happened(ClusterSecretRecorded(fingerprint: .numbered(2)), on: .log)
    #expect(lost.world.state.lostSecretAttempts.count == 2)
    #expect(!lost.world.state.isReady(try #require(replica(lost))))
    let restarted = lost.with { world in
      try world.perform(
        RestartAttempts(
          deployment: world.grok, attempts: world.state.lostSecretAttempts.sorted(),
          cause: .secretReplaced), by: .wharfd)
    }
    #expect(restarted.world.state.lostSecretAttempts.isEmpty)
    #expect(replica(restarted)?.attempt == nil && replica(restarted)?.failures == 0)
  }
}
