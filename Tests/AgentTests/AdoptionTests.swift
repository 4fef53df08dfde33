// What a new agent makes of what it finds: half-done starts, lost records, other boots, disks that
// cannot be written.

import Glibc
import Hosting
import Machine
import TestTools
import Testing
import Wire

@testable import Agent

@Suite(.serialized, .turn, .bounded) struct `Finding what was left` {
  private func plan(_ id: String, bootID: String) -> Ledger.Plan {
    Ledger.Plan(attempt: assigned(id), port: 9000, attemptedPorts: 1, bootID: bootID)
  }

  @Test func `a plan without a start stays unstarted`() async throws {
    try await Workspace.use { space in
      let folder = try DataFolder(space.data)
      try folder.ledger.write(plan("31.1.40", bootID: ProcessTable.bootID()))
      try await StandInServer.use { server in
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        try await LocalAgent.use(space, server) { _ in
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.cause == .agentEnded)
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `a folder without a plan is as if it had never been`() async throws {
    try await Workspace.use { space in
      try Files.makeFolder(try DataFolder(space.data).ledger.folder(of: attemptID("31.1.40")))
      try await StandInServer.use { server in
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        try await LocalAgent.use(space, server) { _ in
          _ = try await server.standIn.see(.ready, of: "31.1.40")
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `after another boot everything has ended`() async throws {
    try await Workspace.use { space in
      let folder = try DataFolder(space.data)
      try folder.ledger.write(plan("31.1.40", bootID: "another-boot"))
      // The holder of that boot had a pid that is now someone else's: this test's.
      let me = try #require(ProcessIdentity(running: getpid()))
      try Files.write(
        Array(
          """
          {"phase":"running","holderPid":\(me.pid),"holderStartTime":\(me.startTime),\
          "bootId":"another-boot","pid":\(me.pid),"startTime":\(me.startTime),\
          "startedAtMicroseconds":1,"exitStatus":null}
          """.utf8), to: folder.ledger.folder(of: attemptID("31.1.40")) + "/holder.1.json")
      try await StandInServer.use { server in
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        try await LocalAgent.use(space, server) { _ in
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.cause == .nodeRestarted)
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `a reused pid is nobody of ours and gets no signal`() async throws {
    try await Workspace.use { space in
      let folder = try DataFolder(space.data)
      let bootID = try ProcessTable.bootID()
      try folder.ledger.write(plan("31.1.40", bootID: bootID))
      let me = try #require(ProcessIdentity(running: getpid()))
      try Files.write(
        Array(
          """
          {"phase":"running","holderPid":\(me.pid),"holderStartTime":\(me.startTime - 1),\
          "bootId":"\(bootID)","pid":\(me.pid),"startTime":\(me.startTime - 1),\
          "startedAtMicroseconds":1,"exitStatus":null}
          """.utf8), to: folder.ledger.folder(of: attemptID("31.1.40")) + "/holder.1.json")
      try await StandInServer.use { server in
        await server.standIn.assign(40, [])
        try await LocalAgent.use(space, server) { _ in
          try await eventually("it has ended and is forgotten") {
            guard let last = await server.standIn.last else { return false }
            return last.generation == 40 && last.attempts == []
          }
        }
      }
    }
  }

  @Test func `an engine whose record was lost is reported, then ended, and never started again`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let log = space.path + "/engines"
        let ports = Workspace.ports()
        let wanted = assigned("31.1.40", launch: simLaunch(engineLog: log))
        try await LocalAgent.use(space, server, ports: ports) { _ in
          await server.standIn.assign(40, [wanted])
          _ = try await server.standIn.see(.ready, of: "31.1.40")
        }
        try Files.remove(space.data + "/attempts/31.1.40/plan.json")
        let later = assigned("32.1.50", on: ["sim-1"], launch: simLaunch(engineLog: log))
        await server.standIn.assign(50, [wanted, later])
        try await LocalAgent.use(space, server, ports: ports) { _ in
          _ = try await server.standIn.see(.ready, of: "32.1.50")
          let reports = await server.standIn.reports
          let told = try #require(reports.first { !$0.strangers.isEmpty })
          #expect(told.strangers.first?.id == attemptID("31.1.40"))
          #expect(await server.standIn.last?.strangers == [])
          let ended = try #require(await server.standIn.attempt("31.1.40"))
          #expect(ended.phase == .ended)
          #expect(ended.cause == .recordLost)
          let lines = String(decoding: Files.tail(log, bytes: 1 << 16), as: UTF8.self)
          #expect(
            lines.split(separator: "\n").count {
              $0.contains("\"start\"") && $0.contains("\"31.1.40\"")
            } == 1)
          try await server.standIn.clear(51)
        }
      }
    }
  }

  /// What a disk is like that cannot be written. It needs a file system of its own, in memory, which only
  /// root can mount.
  enum Unwritable: CaseIterable, Sendable {
    case isFull
    /// As the kernel makes one that failed, but for files that are open.
    case isReadOnly
  }

  @Test(
    .enabled(if: geteuid() == 0, "mounting a small disk needs root"),
    arguments: Unwritable.allCases)
  func `with a disk that cannot be written nothing is started and what runs lives`(
    disk: Unwritable
  ) async throws {
    try await Workspace.use { space in
      let small = space.path + "/small"
      let data = small + "/data"
      try Files.makeFolder(small)
      try #require(mount("tmpfs", small, "tmpfs", 0, "size=256k") == 0)
      defer { umount2(small, Self.detached) }
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server, data: data) { _ in
          await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
          let ready = try await server.standIn.see(.ready, of: "31.1.40")
          switch disk {
          case .isFull: fill(small + "/filler")
          case .isReadOnly:
            try #require(mount(data, data, nil, Self.bind, nil) == 0)
            try #require(mount(nil, data, nil, Self.bind | Self.remount | Self.readOnly, nil) == 0)
          }
          await server.standIn.assign(
            50,
            [
              assigned("31.1.40", launch: simLaunch()),
              assigned("32.1.50", on: ["sim-1"], launch: simLaunch()),
            ])
          let ended = try await server.standIn.see(.ended, of: "32.1.50")
          #expect(ended.cause == .ledgerUnwritable)
          try await eventually("it is told") {
            await server.standIn.last?.troubles == [.ledgerUnwritable]
          }
          #expect(await server.standIn.attempt("31.1.40")?.pid == ready.pid)
          #expect(await server.standIn.attempt("31.1.40")?.phase == .ready)
          switch disk {
          case .isFull: unlink(small + "/filler")
          case .isReadOnly: try #require(umount2(data, Self.detached) == 0)
          }
          try await eventually("it is over") { await server.standIn.last?.troubles == [] }
          // What is asked for from now on is started.
          await server.standIn.assign(
            60,
            [
              assigned("31.1.40", launch: simLaunch()),
              assigned("33.1.60", on: ["sim-2"], launch: simLaunch()),
            ])
          _ = try await server.standIn.see(.ready, of: "33.1.60")
          #expect(await server.standIn.attempt("31.1.40")?.pid == ready.pid)
          try await server.standIn.clear(61)
        }
        #expect(Remains.all(below: small).isEmpty)
      }
    }
  }
  /// `MS_BIND`, `MS_REMOUNT`, `MS_RDONLY` and `MNT_DETACH`, which Swift does not see.
  private static let (bind, remount, readOnly): (UInt, UInt, UInt) = (4096, 32, 1)
  private static let detached: Int32 = 2

  private func fill(_ path: String) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    let block = [UInt8](repeating: 0, count: 4096)
    while write(descriptor, block, block.count) > 0 {}
    while write(descriptor, block, 1) > 0 {}
  }

  @Test func `starting and stopping leaves no descriptor open`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { agent in
          var generation: Int64 = 40
          func cycle() async throws {
            let id = "31.1.\(generation)"
            await server.standIn.assign(generation, [assigned(id, launch: launch(graceSeconds: 0))])
            try await eventually("it runs") {
              let seen = await agent.agent.observation().attempts.first { $0.id == attemptID(id) }
              return seen?.phase == .loading
            }
            try await server.standIn.clear(generation + 1)
            generation += 2
          }
          for _ in 0..<3 { try await cycle() }
          let before = try Files.list("/proc/self/fd").count
          for _ in 0..<50 { try await cycle() }
          try await eventually("no more descriptors than before") {
            try Files.list("/proc/self/fd").count <= before
          }
          #expect(try Files.list(agent.folder.path + "/ended").count == Ledger.keptLogs)
        }
      }
    }
  }
}
