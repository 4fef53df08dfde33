// What stands around an agent goes wrong: the way to its wharfd, the tool that lists its devices. Engines
// run on and answer, people are told by name, and it is over when it is over. Only the word of a person
// that removes the node ends what runs there.

import Foundation
import Glibc
import TestKit
import Testing

@Suite(.serialized, .bounded) struct MeddledNodeTests {
  private static let model = "xai/grok-3"

  enum Way: String, CaseIterable, Sendable {
    case stripsTokens, rewrites, delays

    fileprivate var meddling: Door.Meddling {
      switch self {
      case .stripsTokens:
        .rewrites(.init(requests: [("authorization: ", "x-authorizatio: ")]))
      case .rewrites: .rewrites(.init(replies: [(#""head":"#, #""heed":"#)]))
      case .delays: .keepsReplies
      }
    }

    /// What the agent says arrives all the same.
    fileprivate var isHeard: Bool { self != .stripsTokens }
  }
  private static let notSo = "no answer of wharfd reaches its agent as it was given"

  @Test(.database)
  func
    `who meddles between an agent and wharfd stops nothing, and is told of; a removal is obeyed`()
    async throws
  {
    let site = try Site()
    try await site.startDaemon(on: .current)
    let door = try Door(to: site.api, .init())
    try await site.startAgent(asking: [door.url])
    try await site.startGateway()
    try await site.deploy(replicas: 2)
    let key = try await site.key(for: Self.model)
    try await site.answered(key, Self.model)
    let engines = site.engines
    let asker = Asker(site, key, Self.model)
    try await asker.goesOn()
    for way in Way.allCases {
      door.meddle(way.meddling)
      if way.isHeard {
        try await eventually("\(way): the status names it") {
          try await site.done("status").contains(Self.notSo)
        }
        try await site.done("deployment", "scale", "grok", "--replicas", "3")
        try await eventually("\(way): why names it") {
          try await site.done("why", "deployment", "grok").contains(Self.notSo)
        }
        try await site.done("deployment", "scale", "grok", "--replicas", "2")
      } else {
        try await eventually("\(way): why names it") {
          let told = try await site.done("why", "replica", "grok-1")
          return told.contains("node-1, where it runs, is silent for")
            || told.contains("lost since")
        }
        let status = try await site.done("status")
        #expect(status.contains("silent for") || status.contains("lost"), "\(way): \(status)")
      }
      try await asker.goesOn()
      #expect(site.engines == engines, "\(way)")
      door.meddle(nil)
      try await eventually("\(way): it is over") {
        let told = try await site.done("why", "replica", "grok-1")
        let status = try await site.done("status")
        return told.contains("it is ready") && status.contains("active")
      }
    }
    try await asker.goesOn()
    asker.end()
    asker.expectNoFailure()
    #expect(site.engines == engines)
    let holdings = try site.holdings()
    #expect(holdings.starts.count == 2 && holdings.starts.values.allSatisfy { $0 == 1 })

    try await site.done("node", "remove", "node-1", "--powered-off")
    try await eventually("told by the log, it stops them") { site.engines.isEmpty }
    door.close()
    try await site.end()
  }

  /// As nvidia-smi lists them.
  private static let listing = """
    GPU-aaaa, NVIDIA H100 80GB HBM3, 81559
    GPU-bbbb, NVIDIA H100 80GB HBM3, 81559
    GPU-cccc, NVIDIA H100 80GB HBM3, 81559

    """

  private func write(_ tool: String, _ script: String) throws {
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: tool + ".new"))
    chmod(tool + ".new", 0o755)
    rename(tool + ".new", tool)
  }

  @Test(.database)
  func
    `a device tool that vanishes, fails or talks nonsense ends nothing, and keeps the node closed`()
    async throws
  {
    let site = try Site()
    try await site.startDaemon(on: .current)
    let tool = site.folder.path("device-tool")
    let lists = "cat <<'END'\n\(Self.listing)END"
    try write(tool, lists)
    try await site.startAgent(
      devices: nil, with: ["--device-tool", tool, "--device-look", "1s"])
    try await site.startGateway()
    try await site.deploy(replicas: 2)
    let key = try await site.key(for: Self.model)
    try await site.answered(key, Self.model)
    let engines = site.engines
    let asker = Asker(site, key, Self.model)
    try await asker.goesOn()
    for script in [nil, "exit 9", "echo 'No devices were found'"] {
      if let script { try write(tool, script) } else { unlink(tool) }
      // A device is free, and nobody may be given it.
      try await eventually("the status names it") {
        try await site.done("status").contains("the tool that lists its devices fails")
      }
      try await site.done("deployment", "scale", "grok", "--replicas", "3")
      try await eventually("why names it") {
        try await site.done("why", "deployment", "grok").contains(
          "the tool that lists its devices fails")
      }
      try await asker.goesOn()
      #expect(site.engines == engines, "\(script ?? "it vanished")")
      try await site.done("deployment", "scale", "grok", "--replicas", "2")
      try write(tool, lists)
      try await eventually("it is over") { try await !site.done("status").contains("trouble") }
    }
    try await site.done("deployment", "scale", "grok", "--replicas", "3", "--wait")
    #expect(Set(engines).isSubset(of: site.engines))
    try await asker.goesOn()
    asker.end()
    asker.expectNoFailure()
    try await site.end()
  }
}
