// What an agent does when the control plane is silent, late, or not the one it knew.

import Glibc
import Hosting
import Logging
import TestTools
import Testing
import Time
import Wire

@testable import Agent

@Suite(.serialized, .turn, .bounded) struct `Being told` {
  @Test func `silence ends an exclusive attempt with the lease, and no other`() async throws {
    try await Workspace.use { space in
      let standIn = StandIn()
      await standIn.set(leaseSeconds: Int((2 * Pace.stretch).rounded(.up)))
      try await StandInServer.use(standIn) { server in
        try await LocalAgent.use(space, server) { agent in
          await standIn.assign(
            40,
            [
              assigned("31.1.40", launch: simLaunch(), exclusive: true),
              assigned("32.1.40", on: ["sim-1"], launch: simLaunch()),
            ])
          _ = try await standIn.see(.ready, of: "31.1.40")
          let other = try await standIn.see(.ready, of: "32.1.40")
          await standIn.set(.failing)
          try await eventually("the exclusive one ends") {
            await agent.agent.observation().attempts.first?.phase == .ended
          }
          let seen = await agent.agent.observation().attempts
          #expect(seen[0].cause == .leaseEnded)
          #expect(seen[1].phase == .ready)
          #expect(seen[1].pid == other.pid)
          await standIn.set(.answering)
          // Heard again, it does not come back to life by itself.
          _ = try await standIn.see(.ended, of: "31.1.40")
          try await standIn.clear(41)
        }
      }
    }
  }

  @Test func `a date ends an attempt while nobody is heard`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { agent in
          await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
          _ = try await server.standIn.see(.ready, of: "31.1.40")
          let end = Timestamp(
            microseconds: Clocks.system.date.microseconds + Int64(2_000_000 * Pace.stretch))
          await server.standIn.assign(
            41, [assigned("31.1.40", launch: simLaunch(), notAfter: end)])
          try await eventually("the date is known") {
            await agent.agent.observation().generation == 41
          }
          await server.standIn.set(.failing)
          try await eventually("it ends") {
            await agent.agent.observation().attempts.first?.phase == .ended
          }
          #expect(Clocks.system.date >= end)
          await server.standIn.set(.answering)
          try await server.standIn.clear(42)
        }
      }
    }
  }

  @Test func `assignments that come late or twice change nothing`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await LocalAgent.use(space, server) { agent in
          let standIn = server.standIn
          await standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
          let old = try #require(await standIn.assignment)
          _ = try await standIn.see(.ready, of: "31.1.40")
          await standIn.assign(50, [assigned("31.1.50", launch: simLaunch())])
          let new = try #require(await standIn.assignment)
          let ready = try await standIn.see(.ready, of: "31.1.50")
          for replayed in [old, new, old, new] { await standIn.send(replayed) }
          try await eventually("they were fetched") { await standIn.replay.isEmpty }
          let questions = await standIn.questions
          try await eventually("it asks on") { await standIn.questions > questions + 1 }
          let seen = await agent.agent.observation()
          #expect(seen.generation == 50)
          #expect(seen.attempts.first { $0.id == attemptID("31.1.50") }?.pid == ready.pid)
          #expect(!seen.attempts.contains { $0.id == attemptID("31.1.40") && $0.phase != .ended })
          try await standIn.clear(51)
        }
      }
    }
  }

  @Test func `the furthest sealed head that it believes is shown, after a restart too`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let standIn = server.standIn
        let first = await standIn.head
        let sealed = SealedHead(head: first, seal: digest(99))
        await standIn.seal(sealed)
        try await LocalAgent.use(space, server) { _ in
          try await eventually("it is shown") { await standIn.shown == sealed }
          // Beyond what is told, it is of an answer that somebody changed.
          let beyond = HeadWitness(era: first.era, position: 1_000, hash: digest(1))
          await standIn.seal(SealedHead(head: beyond, seal: digest(98)))
          let (beats, questions) = (await standIn.heartbeats, await standIn.questions)
          try await eventually("it had that answer, and speaks on") {
            let more = (await standIn.heartbeats - beats, await standIn.questions - questions)
            return more.0 > 2 && more.1 > 2
          }
          #expect(await standIn.shown == sealed, "the one of before is shown")
        }
        await standIn.seal(nil)
        try await LocalAgent.use(space, server) { _ in
          try await eventually("it is shown again") { await standIn.shown == sealed }
        }
      }
    }
  }

  @Test func `another log than the one seen raises the alarm and changes nothing`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let standIn = server.standIn
        let ports = Workspace.ports()
        try await LocalAgent.use(space, server, ports: ports) { _ in
          await standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
          _ = try await standIn.see(.ready, of: "31.1.40")
        }
        // Restored to 30, the log went on in an era of its own. The agent restarts meanwhile.
        await standIn.set(head: head(60, era: 31))
        await standIn.assign(60, [])
        try await LocalAgent.use(space, server, ports: ports) { agent in
          try await eventually("the alarm is told") { await standIn.last?.alarm != nil }
          #expect(
            await standIn.last?.alarm
              == "the control plane's era began at 31, but the log was seen up to 40 before it")
          #expect(await standIn.last?.mistrust == .eraLost)
          let questions = await standIn.questions
          try await eventually("it asks on, ever slower") {
            await standIn.questions > questions + 1
          }
          #expect(await agent.agent.observation().attempts.first?.phase == .ready)
          #expect(await agent.agent.observation().generation == 40)
        }
        // A person says that this log is the right one.
        try DataFolder(space.data).forgetWhatWasSeen()
        try await LocalAgent.use(space, server, ports: ports) { _ in
          try await eventually("it follows") { await standIn.last?.generation == 60 }
          try await eventually("nothing is left") { await standIn.last?.attempts == [] }
        }
      }
    }
  }

  @Test func `a join whose reply is lost is asked again as the same command`() async throws {
    try await Workspace.use { space in
      let standIn = StandIn()
      await standIn.lose(joins: 2)
      try await StandInServer.use(standIn) { server in
        try await LocalAgent.use(space, server) { agent in
          let joins = await standIn.joins
          #expect(joins.count == 3)
          #expect(Set(joins.map(\.commandID)).count == 1)
          #expect(Set(joins.map(\.credential)).count == 1)
          try await eventually("it reports") { await standIn.last != nil }
          var status = stat()
          stat(agent.folder.path + "/credential", &status)
          #expect(status.st_mode & 0o777 == 0o600)
          stat(agent.folder.path, &status)
          #expect(status.st_mode & 0o777 == 0o700)
        }
        // A restarted agent is who it was.
        try await LocalAgent.use(space, server) { _ in
          let reports = await standIn.reports.count
          try await eventually("it reports") { await standIn.reports.count > reports }
          #expect(await standIn.joins.count == 3)
        }
      }
    }
  }

  @Test func `a join under way when the agent died is the same command for the next one`()
    async throws
  {
    try await Workspace.use { space in
      let standIn = StandIn()
      await standIn.lose(joins: 1000)
      try await StandInServer.use(standIn) { server in
        let first = try AgentProcess.start(space, server: server.url, ports: Workspace.ports())
        try await eventually("it asked") { await !standIn.joins.isEmpty }
        try await first.kill()
        await standIn.lose(joins: 0)
        try await LocalAgent.use(space, server) { _ in
          try await eventually("it reports") { await standIn.last != nil }
        }
        let joins = await standIn.joins
        #expect(Set(joins.map(\.commandID)).count == 1)
        #expect(Set(joins.map(\.credential)).count == 1)
      }
    }
  }

  @Test func `a join with a wrong token says so at once`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        try await AgentProgram.withClient { client in
          let joining = Joining(
            folder: try DataFolder(space.data), client: client, servers: [server.url],
            name: name("node-1"), log: .init(label: "test"))
          let facts = NodeFacts(
            address: "127.0.0.1", cpuMillis: 1, memory: Bytes(count: 1), devices: [])
          await #expect {
            try await joining.membership(facts: facts) { "another-token" }
          } throws: { error in
            "\(error)".hasPrefix("cannot join as node-1: the join token is not known")
          }
        }
      }
    }
  }

  @Test func `with several servers the one that answers is used`() async throws {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let agent = try AgentProcess.start(
          space, server: "http://127.0.0.1:\(Workspace.freePort())' --server '\(server.url)",
          ports: Workspace.ports())
        await server.standIn.assign(40, [assigned("31.1.40", launch: simLaunch())])
        _ = try await server.standIn.see(.ready, of: "31.1.40")
        try await server.standIn.clear(41)
        try await agent.terminate()
      }
    }
  }
}
