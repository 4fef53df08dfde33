// The ways in which engines fail, and what is said of it.

import Glibc
import Hosting
import Machine
import TestTools
import Testing
import Wire

@testable import Agent

@Suite(.serialized, .turn, .bounded) struct `Engines that fail` {
  @Test func `one that crashes is reported with its signal, and not started again`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let log = space.path + "/engines"
        try await LocalAgent.use(space, server) { _ in
          await server.standIn.assign(
            40,
            [
              assigned(
                "31.1.40", launch: simLaunch(["--crash-after-requests", "0"], engineLog: log))
            ])
          let ready = try await server.standIn.see(.ready, of: "31.1.40")
          try? await chat(#require(ready.endpoint), key: "engine-key-of-31.1.40")
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.exitSignal == Int(SIGABRT))
          #expect(ended.exitSignal == 6)
          #expect(ended.cause == .byItself)
          await server.standIn.askForReport()
          let count = await server.standIn.reports.count
          try await eventually("more is heard") { await server.standIn.reports.count > count }
          let lines = String(decoding: Files.tail(log, bytes: 1 << 16), as: UTF8.self)
          #expect(lines.split(separator: "\n").count { $0.contains("\"start\"") } == 1)
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test
  func `one that finds no device memory is known by its last words, which stay where they are`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          await server.standIn.assign(
            40, [assigned("31.1.40", launch: simLaunch(["--out-of-memory-at-load"]))])
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.exitCode == 1)
          #expect(ended.cause == .outOfDeviceMemoryAtLoad)
          #expect(ended.reason == nil)
          try await eventually("its log is kept") {
            String(
              decoding: Files.tail(space.data + "/attempts/31.1.40/engine.log", bytes: 4096),
              as: UTF8.self
            ).contains("CUDA out of memory")
          }
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `one that never becomes ready is stopped at its deadline`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          // It heeds no stop, and so stands there until the test ends it.
          let launch = simLaunch(
            ["--never-ready", "--refuse-stop"], deadlineSeconds: 2, graceSeconds: 600)
          await server.standIn.assign(40, [assigned("31.1.40", launch: launch)])
          let stopping = try await server.standIn.see(.stopping, of: "31.1.40")
          #expect(stopping.cause == .neverReady)
          try kill(stopping)
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.cause == .neverReady)
          #expect(ended.ordered == nil, "given up, which is a failure")
          // Of what passes by itself any may be over before it is told.
          let told = await server.standIn.phases(of: "31.1.40")
          let all: [AttemptPhase] = [.starting, .loading, .stopping, .ended]
          #expect(told == all.filter(told.contains) && told.suffix(2) == [.stopping, .ended])
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `one that hangs becomes unhealthy and stays until it is revoked`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          var patient = simLaunch(graceSeconds: 1)
          // For longer than the test may take it is not said to hang.
          patient.liveness = Launch.Liveness(
            path: nil, periodSeconds: 3_600, failures: 100, graceSeconds: 0, request: nil)
          await server.standIn.assign(40, [assigned("31.1.40", launch: patient)])
          let ready = try await server.standIn.see(.ready, of: "31.1.40")
          let engine = try #require(
            ProcessIdentity(running: Int32(ready.pid ?? 0)).flatMap(ProcessHandle.init))
          engine.signal(SIGSTOP)
          let unhealthy = try await server.standIn.see(.unhealthy, of: "31.1.40")
          #expect(unhealthy.pid == ready.pid)
          #expect(unhealthy.cause == .unanswered)
          engine.signal(SIGCONT)
          _ = try await server.standIn.see(.ready, of: "31.1.40")
          engine.signal(SIGSTOP)
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `one that hangs is out of the routes first, then ended as a failure`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { agent in
          var hanging = simLaunch(graceSeconds: 1)
          hanging.liveness = Launch.Liveness(
            path: nil, periodSeconds: 1, failures: 4, graceSeconds: 0, request: nil)
          await server.standIn.assign(40, [assigned("31.1.40", launch: hanging)])
          let ready = try await server.standIn.see(.ready, of: "31.1.40")
          let engine = try #require(
            ProcessIdentity(running: Int32(ready.pid ?? 0)).flatMap(ProcessHandle.init))
          engine.signal(SIGSTOP)
          let ended = try await server.standIn.see(.ended, of: "31.1.40", withinSeconds: 60)
          #expect(ended.cause == .hung)
          #expect(ended.ordered == nil, "a failure, which nobody ordered")
          // Of what passes by itself any may be over before it is told; what the agent did it says itself.
          let steps = ["ready", "no longer answers", "stopping", "ended"]
          #expect(
            agent.lines.all.filter(steps.contains).suffix(4) == steps[...], "\(agent.lines.all)")
          let told = await server.standIn.phases(of: "31.1.40").drop { $0 != .ready }
          let all: [AttemptPhase] = [.ready, .unhealthy, .stopping, .ended]
          #expect(Array(told) == all.filter(told.contains) && told.last == .ended, "\(told)")
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `one whose health is good, and whose answers never come, fails its small request`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          var hanging = simLaunch(["--mute-after-requests", "1"], graceSeconds: 1)
          hanging.liveness = Launch.Liveness(
            path: nil, periodSeconds: 1, failures: 2, graceSeconds: 0,
            request: .init(
              path: "/v1/completions",
              body: #"{"model":"${servedModelName}","prompt":"1","max_tokens":1}"#,
              timeoutSeconds: 1))
          await server.standIn.assign(40, [assigned("31.1.40", launch: hanging)])
          let ended = try await server.standIn.see(.ended, of: "31.1.40", withinSeconds: 60)
          #expect(ended.cause == .hung)
          #expect(await server.standIn.phases(of: "31.1.40").contains(.ready))
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `one that ignores being told to stop is killed after its grace`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          let stubborn = simLaunch(["--refuse-stop"], graceSeconds: 1)
          await server.standIn.assign(40, [assigned("31.1.40", launch: stubborn)])
          _ = try await server.standIn.see(.ready, of: "31.1.40")
          await server.standIn.assign(50, [])
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.exitSignal == Int(SIGKILL))
          #expect(ended.cause == .notAssigned)
        }
      }
    }
  }

  @Test
  func `the successor of one that does not stop waits for its device until it is really gone`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let log = space.path + "/engines"
        try await LocalAgent.use(space, server) { _ in
          // In its grace it stands for as long as the test likes.
          let stubborn = simLaunch(["--refuse-stop"], engineLog: log, graceSeconds: 600)
          await server.standIn.assign(40, [assigned("31.1.40", launch: stubborn)])
          _ = try await server.standIn.see(.ready, of: "31.1.40")
          await server.standIn.assign(50, [assigned("31.1.50", launch: simLaunch(engineLog: log))])
          let stopping = try await server.standIn.see(.stopping, of: "31.1.40")
          try await eventually("its successor waits") {
            await server.standIn.attempt("31.1.50")?.cause == .awaitsDevice
          }
          #expect(await server.standIn.attempt("31.1.50")?.phase == .starting)
          func lines() -> Int {
            String(decoding: Files.tail(log, bytes: 1 << 16), as: UTF8.self)
              .split(separator: "\n").count { $0.contains("\"start\"") }
          }
          #expect(lines() == 1)
          try kill(stopping)
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.cause == .notAssigned)
          _ = try await server.standIn.see(.ready, of: "31.1.50")
          #expect(lines() == 2)
          try await server.standIn.clear(51)
        }
      }
    }
  }

  /// Ends an engine that heeds no other word.
  private func kill(_ attempt: ObservedAttempt) throws {
    let engine = ProcessIdentity(running: Int32(attempt.pid ?? 0)).flatMap(ProcessHandle.init)
    try #require(engine).signal(SIGKILL)
  }

  @Test func `one whose holder is killed is cleared away with all it started`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          // A shell whose children would outlive it.
          let family = launch(
            ["/bin/sh", "-c", "sleep 1000 & setsid sleep 1000 & sleep 1000"], deadlineSeconds: 600)
          await server.standIn.assign(40, [assigned("31.1.40", launch: family)])
          _ = try await server.standIn.see(.loading, of: "31.1.40")
          try await eventually("the family is there") { space.processes().count == 5 }
          let holder = try #require(space.processes().first(where: Remains.isHolder))
          ProcessHandle(holder.identity)?.signal(SIGKILL)
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.cause == .holderLost)
          #expect(space.processes().isEmpty, "ended is said only when nothing is left")
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test(arguments: [
    (["/no/such/engine"], AttemptCause.programUnusable),
    (["wharf-engine-sim", "${weights}"], .templateUnfilled),
  ])
  func `one that cannot be started at all says why`(
    command: [String], cause: AttemptCause
  ) async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          await server.standIn.assign(40, [assigned("31.1.40", launch: launch(command))])
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.cause == cause)
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `what one writes is in its log file, and in nothing that is told`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { _ in
          let chatty = launch(
            ["/bin/sh", "-c", "echo \"key is $KEY\"; exit 3"], environment: ["KEY": "${engineKey}"])
          await server.standIn.assign(40, [assigned("31.1.40", launch: chatty)])
          let ended = try await server.standIn.see(.ended, of: "31.1.40")
          #expect(ended.exitCode == 3)
          #expect(ended.cause == .byItself)
          let told = await server.standIn.reports.map {
            String(decoding: $0.jsonBytes, as: UTF8.self)
          }
          #expect(!told.contains { $0.contains("key is") })
          try await server.standIn.clear(41)
        }
      }
    }
  }
}

@Suite(.serialized, .turn, .bounded) struct `Ports of engines` {
  @Test func `one that somebody else has is passed over`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let ports = Workspace.ports()
        let outsider = Outsider(port: ports.lowerBound, listening: true)
        defer { outsider.leave() }
        try await LocalAgent.use(space, server, ports: ports) { _ in
          await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
          let ready = try await server.standIn.see(.ready, of: "31.1.40")
          #expect(ready.endpoint == "http://127.0.0.1:\(ports.lowerBound + 1)")
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test
  func `one taken between the look and the start is given up for another, unseen from outside`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let ports = Workspace.ports()
        // Bound and not yet listening, it does not show; then it listens first.
        let outsider = Outsider(port: ports.lowerBound, listening: false)
        defer { outsider.leave() }
        // Until its first answer it is told to start, however long that takes.
        try await LocalAgent.use(space, server, ports: ports, settleMilliseconds: 3_600_000) {
          agent in
          // The engine itself waits until the port is taken.
          let gate = space.path + "/taken"
          let sim = simLaunch()
          let waiting = launch(
            ["/bin/sh", "-c", "until [ -e '\(gate)' ]; do sleep 0.02; done; exec \"$0\" \"$@\""]
              + sim.command, environment: sim.environment, listsModel: true)
          await server.standIn.assign(40, [assigned("31.1.40", launch: waiting)])
          let plan = agent.folder.path + "/attempts/31.1.40/plan.json"
          try await eventually("it is being started") { access(plan, F_OK) == 0 }
          _ = try await server.standIn.see(.starting, of: "31.1.40")
          outsider.listen()
          try Files.write([], to: gate)
          let ready = try await server.standIn.see(.ready, of: "31.1.40")
          #expect(ready.endpoint == "http://127.0.0.1:\(ports.lowerBound + 1)")
          #expect(await server.standIn.phases(of: "31.1.40") == [.starting, .ready])
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test
  func
    `however many are taken in a row, an attempt gets the next, and is never left out of a report`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let ports = Workspace.ports(130)
        let outsiders = ports.dropLast(2).map { Outsider(port: $0, listening: true) }
        defer { for outsider in outsiders { outsider.leave() } }
        try await LocalAgent.use(space, server, ports: ports) { _ in
          await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
          let ready = try await server.standIn.see(.ready, of: "31.1.40")
          #expect(ready.endpoint == "http://127.0.0.1:\(ports.upperBound - 1)")
          let reports = await server.standIn.reports.filter { $0.generation >= 40 }
          #expect(reports.allSatisfy { $0.attempts.map(\.id) == [attemptID("31.1.40")] })
          #expect(await !server.standIn.phases(of: "31.1.40").contains(.ended))
          try await server.standIn.clear(41)
        }
      }
    }
  }

  @Test func `when all are taken an attempt waits and says so`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let ports = Workspace.ports(2)
        let outsiders = ports.map { Outsider(port: $0, listening: true) }
        defer { for outsider in outsiders { outsider.leave() } }
        try await LocalAgent.use(space, server, ports: ports) { _ in
          await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
          let waiting = try await eventually("it waits") {
            await server.standIn.attempt("31.1.40")?.cause
          }
          #expect(waiting == .awaitsPort)
          try await server.standIn.clear(41)
        }
      }
    }
  }
}
