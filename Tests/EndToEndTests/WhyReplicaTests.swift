// `wharf why replica`, asked of replicas that run, that wait, and that ended: one answer each, said once.

import Foundation
import Hosting
import TestKit
import Testing

@Suite(.serialized, .turn, .bounded) struct WhyReplicaTests {
  /// The lines of an answer but for the moment's seconds.
  private func why(_ system: System, _ replica: String) async throws -> [String] {
    try await system.done("why", "replica", replica).split(separator: "\n").map(String.init)
  }

  @Test
  func `of a replica that runs, waits or ended, its state is told once, with what would help`()
    async throws
  {
    let system = try System()
    try await system.up(nodes: 1)
    try await system.done("provider", "register", "xai")
    try await system.done(
      "agreement", "sign", "xai", "--scope", "inference", "--audience", "internal", "--from",
      "2025-05-01", "--until", "2095-05-01", "--notice-days", "90")
    try await system.done("model", "onboard", "xai/grok-3", "--task", "chat", "--context", "131072")
    try await system.done(
      "model", "add-version", "xai/grok-3:1", "--engine", "sim", "--devices", "3",
      "--device-memory", "70GiB")
    try await system.done(
      "deployment", "create", "grok", "--model", "xai/grok-3:1", "--replicas", "1", "--wait")
    #expect(try await why(system, "grok-1") == ["replica grok-1: it is ready"])

    // One device is left, and three are wanted.
    try await system.done("deployment", "scale", "grok", "--replicas", "2")
    let waiting = try await eventually("the second waits") {
      let lines = try await why(system, "grok-2")
      return lines[0] == "replica grok-2: no node has enough free devices" ? lines : nil
    }
    #expect(waiting.count { $0.contains("no node has enough free devices") } == 1, "\(waiting)")
    #expect(waiting.contains { $0.contains("(3 wanted, at most 1 free): node-1") }, "\(waiting)")
    #expect(waiting.contains { $0.hasPrefix("help: ") }, "\(waiting)")

    // Ends by itself, again and again.
    try await system.done(
      "model", "add-version", "xai/grok-3:2", "--engine", "sim", "--devices", "1",
      "--device-memory", "70GiB", "--argument=--fail-at-load=113")
    try await system.done(
      "deployment", "create", "weak", "--model", "xai/grok-3:2", "--replicas", "1")
    let ended = try await eventually("it failed, and waits for its next try") {
      let lines = try await why(system, "weak-1")
      return lines[0].contains("failed") ? lines : nil
    }
    #expect(ended.contains { $0.contains("where it failed last: node-1") }, "\(ended)")
    #expect(ended.contains("help: to try at once: wharf replica restart weak-1"), "\(ended)")
    #expect(ended.contains { $0.contains("/engine.log in the folder of the agent") }, "\(ended)")
    #expect(ended[0].contains("last on node-1: exit code 113: it ended by itself"), "\(ended)")
    #expect(ended[0].ranges(of: "113").count == 1, "the code is told once: \(ended)")
    #expect(ended[0].contains("tried again in"), "\(ended)")

    // Gone, and never there.
    try await system.done("deployment", "scale", "grok", "--replicas", "1")
    let gone = try await system.refused("why", "replica", "grok-2")
    #expect(gone.contains("there is no replica named 'grok-2'"), "\(gone)")
    #expect(gone.contains("wharf replica list"), "\(gone)")
    try await system.down()
  }
}
