// The tool that lists devices is the outside world, and a script stands for it: what it fails to say
// stops no engine.

import Glibc
import Hosting
import Machine
import TestTools
import Testing
import Wire

@testable import Agent

@Suite(.serialized, .bounded) struct `The tool that lists devices` {
  private static let listing = """
    GPU-aaaa, NVIDIA H100 80GB HBM3, 81559
    GPU-bbbb, NVIDIA H100 80GB HBM3, 81559

    """

  private func write(_ tool: String, _ script: String) throws {
    try Files.write(Array("#!/bin/sh\n\(script)\n".utf8), to: tool)
    chmod(tool, 0o755)
  }

  private func lists(_ listing: String) -> String { "cat <<'END'\n\(listing)END" }

  /// An agent as a program, with a tool of the test's own, and one engine on each of two devices.
  private func withEngines(
    _ test: @escaping @Sendable (StandIn, _ tool: String) async throws -> Void
  ) async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let tool = space.path + "/tool"
        try write(tool, lists(Self.listing))
        let ports = Workspace.ports()
        let token = space.path + "/token"
        try Files.write(Array("join-token-1\n".utf8), to: token)
        let agent = try AgentProcess.start(
          [
            "run", "--server", server.url, "--data", space.data, "--name", "node-1",
            "--join-token-file", token, "--port-range",
            "\(ports.lowerBound)-\(ports.upperBound)", "--device-tool", tool,
            "--device-look-seconds", "1",
          ], space, log: "agent.log")
        await server.standIn.assign(
          40,
          [
            assigned("31.1.40", on: ["GPU-aaaa"], launch: simLaunch()),
            assigned("31.2.40", on: ["GPU-bbbb"], launch: simLaunch()),
          ])
        _ = try await server.standIn.see(.ready, of: "31.1.40")
        _ = try await server.standIn.see(.ready, of: "31.2.40")
        try await test(server.standIn, tool)
        await server.standIn.assign(90, [])
        try await eventually("nothing is left") { await server.standIn.last?.attempts == [] }
        try await agent.terminate()
      }
    }
  }

  @Test(arguments: [
    "exit 9", "echo 'Unable to determine the device handle for GPU 0000:3B:00.0: Unknown Error'",
    "echo 'No devices were found'", "true", "exec sleep 1000", nil,
  ])
  func `whatever it fails to say, what runs serves on, and the node says so`(
    script: String?
  ) async throws {
    try await withEngines { standIn, tool in
      let before = await standIn.last?.attempts.compactMap(\.pid)
      if let script { try write(tool, script) } else { unlink(tool) }
      try await eventually("it is told", withinSeconds: 60) {
        await standIn.last?.troubles == [.deviceToolFailed]
      }
      #expect(await standIn.last?.facts.devices.map(\.id) == ["GPU-aaaa", "GPU-bbbb"])
      #expect(await standIn.last?.attempts.map(\.phase) == [.ready, .ready])
      #expect(await standIn.last?.attempts.compactMap(\.pid) == before)
      try write(tool, lists(Self.listing))
      try await eventually("it is over") { await standIn.last?.troubles == [] }
      #expect(await standIn.phases(of: "31.1.40").last == .ready)
    }
  }

  @Test func `a device that it lists no more, twice, is gone, and what ran there ends`()
    async throws
  {
    try await withEngines { standIn, tool in
      try write(tool, lists("GPU-aaaa, NVIDIA H100 80GB HBM3, 81559\n"))
      let ended = try await standIn.see(.ended, of: "31.2.40")
      #expect(ended.cause == .deviceGone && ended.device == "GPU-bbbb")
      #expect(await standIn.attempt("31.1.40")?.phase == .ready)
    }
  }

  @Test func `an agent that starts while it fails knows the devices that were there`() async throws
  {
    try await Workspace.use { space in
      let folder = try DataFolder(space.data)
      let known = [DeviceFacts(id: "GPU-aaaa", model: "H100", memory: Bytes(count: 80 << 30))]
      try folder.keep(known)
      try await StandInServer.use { server in
        let token = space.path + "/token"
        try Files.write(Array("join-token-1\n".utf8), to: token)
        let agent = try AgentProcess.start(
          [
            "run", "--server", server.url, "--data", space.data, "--name", "node-1",
            "--join-token-file", token, "--device-tool", "/no/such/tool",
          ], space, log: "agent.log")
        try await eventually("it reports") {
          await server.standIn.last?.troubles == [.deviceToolFailed]
        }
        #expect(await server.standIn.last?.facts.devices == known)
        try await agent.terminate()
      }
    }
  }
}
