// Whatever is killed, whenever: what remains goes on, and the rest comes back.

import Foundation
import Glibc
import Hosting
import Machine
import TestKit
import Testing

@testable import Up

@Suite(.serialized, .turn, .bounded) struct RecoveryTests {
  /// A deployment with one simulated engine.
  private func deploy(_ system: TestSystem) async throws {
    let provider = Name("xai")
    let (model, version) = (
      try ModelReference(jsonText: "xai/grok-3"), try ModelReference(jsonText: "xai/grok-3:1")
    )
    try await system.send(RegisterProvider(name: provider))
    try await system.send(
      SignAgreement(
        provider: provider,
        terms: Terms(
          scope: [.inference], audiences: [.internal],
          from: Timestamp(microseconds: 1_700_000_000_000_000), until: nil, noticeDays: 90)))
    try await system.send(OnboardModel(model: model, task: .chat, contextLength: 4_096))
    try await system.send(
      AddModelVersion(
        model: version, engine: Name("sim"),
        needs: Needs(
          devices: 1, deviceMemory: Bytes(count: 1 << 30), cpuMillis: 0, memory: .zero),
        arguments: nil, modelPath: nil, weights: nil))
    try await system.send(PublishModel(model: model, audience: .internal, stage: .preview))
    try await system.send(CreateDeployment(name: Name("grok"), model: version, replicas: 1))
  }

  @Test func `every program that is killed comes back, and engines serve on through all of it`()
    async throws
  {
    let system = try TestSystem()
    try await system.up(system.whole)
    try await deploy(system)
    let engines = try await eventually("an engine runs", withinSeconds: 60) {
      let engines = system.engines()
      return engines.isEmpty ? nil : engines
    }
    for program in [Part.wharfd, Part.postgres, Part.gateway, Part.agent("node-1")] {
      let old = try system.pid(program)
      try await system.kill9(old)
      try await system.comesBack(program, otherThan: old)
    }
    try await eventually("the gateway serves", withinSeconds: 60) {
      await ControlClient(url: "http://127.0.0.1:\(system.gatewayPort)").isHealthy()
    }
    #expect(system.engines() == engines, "the same engine, all along")

    // Its supervisor dies: nothing else does, and the next one takes over what runs.
    let before = try [Part.postgres, Part.wharfd, Part.gateway, Part.agent("node-1")].map(
      system.pid)
    try await system.kill9(system.supervisor())
    #expect(await system.isHealthy())
    let said = try await system.up(system.whole)
    #expect(said.contains("wharfd runs on"))
    let after = try [Part.postgres, Part.wharfd, Part.gateway, Part.agent("node-1")].map(system.pid)
    #expect(after == before)
    #expect(system.processes().filter { ProcessTable.status(of: $0)?.name == "wharfd" }.count == 1)
    // Not children of this supervisor, and watched all the same.
    let adopted = try system.pid(Part.wharfd)
    try await system.kill9(adopted)
    try await system.comesBack(Part.wharfd, otherThan: adopted)

    // Everything at once but the engine.
    try await system.kill9(system.supervisor())
    for program in [Part.postgres, Part.wharfd, Part.gateway, Part.agent("node-1")] {
      kill(try system.pid(program), SIGKILL)
    }
    try await system.up(system.whole)
    #expect(system.engines() == engines, "the same engine, all along")

    // Down works without a supervisor too, and takes the engine along.
    try await system.kill9(system.supervisor())
    let down = try await system.down()
    #expect(down.contains("1 engine stopped"))
    #expect(!down.contains("supervisor stopped"))
  }

  /// A folder of PostgreSQL's programs whose initdb, begun, never comes to its end.
  private func endlessPostgres(_ system: TestSystem) throws -> String {
    let folder = system.folder.path("endless")
    let real = try PostgresPrograms.find(named: nil, dataVersion: nil)
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: false,
      attributes: [.posixPermissions: 0o755])
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/postgres", withDestinationPath: real.program("postgres"))
    let script = """
      #!/bin/sh
      while [ "$1" != -D ]; do shift; done
      mkdir "$2/base" && exec sleep 100000
      """
    try Data(script.utf8).write(to: URL(filePath: "\(folder)/script"))
    // By another program: what we wrote ourselves a process that another test starts could hold open.
    try #require(
      ShortCommand.run(
        ["cp", "\(folder)/script", "\(folder)/initdb"], environment: Environment.own)?
        .code == 0)
    chmod("\(folder)/initdb", 0o755)
    return folder
  }

  @Test func `killed while it makes the database, the next up makes it anew`() async throws {
    let system = try TestSystem()
    let starting = try system.start(
      system.small + ["--detach", "--postgres", try endlessPostgres(system)])
    try await eventually("initdb is at work", withinSeconds: 60) {
      FileManager.default.fileExists(atPath: "\(system.layout.newPostgres)/base")
    }
    try await system.kill9(system.supervisor())
    let ran = try await system.finish(starting)
    #expect(ran.status == .code(1))
    #expect(ran.errors.contains("the supervisor ended before all was ready"))
    #expect(Database.version(system.layout) == nil)
    try await system.up(system.small)
    #expect(!FileManager.default.fileExists(atPath: system.layout.newPostgres))
    try await system.down()
  }

  @Test func `down while it comes up leaves nothing, and a later up succeeds`() async throws {
    let system = try TestSystem()
    let starting = try system.start(
      system.small + ["--detach", "--postgres", try endlessPostgres(system)])
    try await eventually("initdb is at work", withinSeconds: 60) {
      FileManager.default.fileExists(atPath: "\(system.layout.newPostgres)/base")
    }
    let down = try await system.wharf("down", "--data", system.data)
    #expect(down.status == .code(0), "\(down)")
    // Whoever waited for the start is told; until then it is the one process that is left.
    let ran = try await system.finish(starting)
    #expect(ran.status == .code(1), "\(ran)")
    #expect(system.processes() == [])
    try await system.up(system.small)
    try await system.down()
  }

  @Test func `when a program does not come up, it is said why, and what was started is stopped`()
    async throws
  {
    let system = try TestSystem()
    try Files.prepareFolder(system.layout.secrets)
    try Files.replace(system.layout.clusterSecret, Array("no secret".utf8))
    let ran = try await system.finish(system.start(system.small + ["--detach"]))
    #expect(ran.status == .code(1))
    #expect(ran.errors.contains("cannot bring up wharfd: it ended with exit code 1"), "\(ran)")
    #expect(ran.errors.contains("holds no cluster secret"), "\(ran)")
    #expect(system.processes() == [])
    unlink(system.layout.clusterSecret)
    try await system.up(system.small)
    try await system.down()
  }

  @Test func `other settings after a crash replace what runs with the old ones`() async throws {
    let system = try TestSystem()
    try await system.up(system.small)
    let (wharfd, postgres) = (try system.pid(Part.wharfd), try system.pid(Part.postgres))
    try await system.kill9(system.supervisor())
    let moved = system.gatewayPort
    let ran = try await system.wharf(
      "up", "--data", system.data, "--api-port", "\(moved)", "--detach")
    #expect(ran.status == .code(0), "\(ran)")
    #expect(await ControlClient(url: "http://127.0.0.1:\(moved)").isHealthy())
    #expect(try system.pid(Part.wharfd) != wharfd)
    #expect(try system.pid(Part.postgres) == postgres)
    #expect(system.isFree(system.apiPort))
    try await system.down()
  }
}
