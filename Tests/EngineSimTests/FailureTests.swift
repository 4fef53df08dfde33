// The failures that can be asked for, and what the engine log says of each.

import Foundation
import Glibc
import NIOHTTP1
import TestKit
import Testing

/// Each test starts engines of its own: one after another, so that a small machine is not flooded.
@Suite(.serialized, .turn, .bounded) struct `The engine's failures` {
  let folder = try! TestFolder()

  private func events() throws -> [String?] { try Sim.log(in: folder).map { $0["event"].string } }

  @Test func `While loading, health is 503 and so is inference`() async throws {
    // One that loads for longer than any test, and one that is soon done.
    let loading = try await Sim(["--load", "1h"], in: folder, untilReady: false)
    #expect(try await loading.get("/health").status == 503)
    let early = try await loading.chat("x")
    #expect(early.status == 503)
    #expect(try early.errorCode == "model_loading")
    #expect(try events() == ["start"])
    loading.process.send(SIGKILL)
    try await loading.process.waitForExit()
    let sim = try await Sim(["--load", "500ms"], in: folder, untilReady: false)
    try await eventually("it is ready") { try await sim.get("/health").status == 200 }
    #expect(try await sim.chat("x").status == 200)
    #expect(try events() == ["start", "start", "ready", "serving"])
  }

  @Test func `It may never become ready`() async throws {
    let sim = try await Sim(["--never-ready"], in: folder, untilReady: false)
    #expect(try await sim.get("/health").status == 503)
    sim.process.send(SIGTERM)
    #expect(try await sim.process.waitForExit() == .code(0))
    #expect(try events() == ["start", "stop"])
  }

  @Test func `Loading may fail, with the exit code that was asked for`() async throws {
    let process = try Sim.spawn(["--fail-at-load", "7", "--load-seconds", "0.1"], in: folder)
    #expect(try await process.waitForExit() == .code(7))
    #expect(try events() == ["start", "stop"])
    #expect(try Sim.log(in: folder).last?["exitCode"].int == 7)
  }

  @Test func `Loading may run out of device memory`() async throws {
    let process = try Sim.spawn(
      ["--out-of-memory-at-load", "--device-memory", "70GiB"], in: folder)
    #expect(try await process.waitForExit() == .code(1))
    #expect(process.errors.contains("CUDA out of memory. Tried to allocate 70GiB"))
  }

  @Test func `A crash after so many requests ends it by signal, without a stop line`()
    async throws
  {
    let sim = try await Sim(["--crash-after-requests", "2"], in: folder)
    for _ in 0..<2 { #expect(try await sim.chat("x").status == 200) }
    await #expect(throws: (any Error).self) { try await sim.chat("x") }
    #expect(try await sim.process.waitForExit() == .signal(SIGABRT))
    #expect(try events() == ["start", "ready", "serving"])
  }

  @Test func `A crash after so many seconds cuts streams off`() async throws {
    // Long before the stream is whole; where that was before it had begun, the next has longer.
    var seconds = 1
    let (sim, begun) = try await eventually("a stream begins before the crash") {
      seconds *= 2
      let sim = try? await Sim(
        ["--crash-after", "\(seconds)s", "--tokens-per-second", "0.01"], in: folder)
      guard let sim, var stream = try? await sim.chatStream("hello"),
        (try? await stream.next()) != nil
      else { return nil as (Sim, EventReader)? }
      return (sim, stream)
    }
    var stream = begun
    await #expect(throws: (any Error).self) { try await stream.rest() }
    #expect(try await sim.process.waitForExit() == .signal(SIGABRT))
  }

  @Test func `A hung engine accepts and never answers, health included`() async throws {
    let sim = try await Sim(["--hang-after-requests", "1"], in: folder)
    #expect(try await sim.chat("x").status == 200)
    #expect(try await sim.get("/health").status == 200)
    let hanging = sim.request(.POST, "/v1/chat/completions", body: Sim.chatBody("x"))
    await #expect(throws: (any Error).self) { try await sim.send(hanging, withinSeconds: 1) }
    await #expect(throws: (any Error).self) {
      try await sim.send(sim.request(.GET, "/health"), withinSeconds: 1)
    }
    #expect(connects(to: sim.port), "it still accepts")
    #expect(sim.process.status() == nil)
    sim.process.send(SIGTERM)
    #expect(try await sim.process.waitForExit() == .code(0))
  }

  @Test func `A mute engine is healthy and answers no request`() async throws {
    let sim = try await Sim(["--mute-after-requests", "1"], in: folder)
    #expect(try await sim.chat("x").status == 200)
    let waiting = sim.request(.POST, "/v1/chat/completions", body: Sim.chatBody("x"))
    await #expect(throws: (any Error).self) { try await sim.send(waiting, withinSeconds: 1) }
    #expect(try await sim.get("/health").status == 200)
  }

  @Test func `One that refuses says so with status and words`() async throws {
    let sim = try await Sim(
      ["--refuse-status", "422", "--refuse-message", "no such voice"], in: folder)
    let reply = try await sim.chat("x")
    #expect(reply.status == 422)
    #expect(reply.text.contains("no such voice"))
    #expect(try await sim.get("/health").status == 200)
  }

  @Test func `One that refuses to stop serves on after SIGTERM`() async throws {
    let sim = try await Sim(["--refuse-stop"], in: folder)
    sim.process.send(SIGTERM)
    for _ in 0..<5 { #expect(try await sim.chat("x").status == 200) }
    #expect(sim.process.status() == nil)
    sim.process.send(SIGKILL)
    #expect(try await sim.process.waitForExit() == .signal(SIGKILL))
    #expect(try events().contains("stop") == false)
  }

  @Test func `A slow stop holds on to the devices`() async throws {
    let sim = try await Sim(["--slow-stop-seconds", "0.7"], in: folder)
    let asked = ContinuousClock.now
    sim.process.send(SIGTERM)
    #expect(try await sim.process.waitForExit() == .code(0))
    #expect(ContinuousClock.now - asked >= .milliseconds(700))
    #expect(try events() == ["start", "ready", "stop"])
  }

  @Test(arguments: ["429", "503"])
  func `Beyond those that run and wait, requests are refused`(status: String) async throws {
    let sim = try await Sim(
      [
        "--max-concurrent", "1", "--max-queued", "1", "--overload-status", status,
        "--tokens-per-second", "1",
      ], in: folder)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (place, count) in [("running", 1), ("waiting", 1)] {
        // For longer than any test.
        group.addTask {
          _ = try await sim.chat("x", #","max_tokens":4000,"ignore_eos":true"#)
        }
        try await eventually("one is \(place)") {
          try await sim.get("/metrics").text
            .contains("vllm:num_requests_\(place){model_name=\"sim\"} \(count).0")
        }
      }
      for _ in 0..<2 { #expect(try await sim.chat("x").status == UInt(status)!) }
      sim.process.send(SIGKILL)
      while await group.nextResult() != nil {}
    }
  }

  @Test func `A port that is taken is said, with exit code 3`() async throws {
    let sim = try await Sim(in: folder)
    let second = try Child(
      [builtProgram("wharf-engine-sim"), "--port", "\(sim.port)"],
      environment: folder.environment(), folder: folder)
    #expect(try await second.waitForExit() == .code(3))
    #expect(second.errors.contains("cannot serve on 127.0.0.1:\(sim.port)"))
  }

  @Test(
    arguments: [
      (["--port", "70000"], [:]), (["--overload-status", "200"], [:]), (["--no-such-flag"], [:]),
      ([], ["WHARF_ENGINE_KEY": ""]), ([], ["WHARF_DEVICE_MILLI": "1001"]),
    ] as [([String], [String: String])])
  func `A line that cannot be used is refused`(flags: [String], environment: [String: String])
    async throws
  {
    let process = try Sim.spawn(flags, environment: environment, in: folder)
    #expect(try await process.waitForExit() == .code(2))
    #expect(!process.errors.isEmpty)
    let isNobody = environment["WHARF_DEVICE_MILLI"] != nil
    #expect(try events() == (isNobody ? [] : ["start", "stop"]), "what began is recorded")
  }

  @Test func `The engine log says who held what, from when to when`() async throws {
    let sim = try await Sim(
      ["--device-memory", "70GiB"],
      environment: [
        "WHARF_DEVICES": "gpu-0,gpu-3", "WHARF_DEVICE_MILLI": "500", "WHARF_REPLICA": "31.2",
        "WHARF_ATTEMPT": "31.2.47",
      ], in: folder)
    #expect(
      try await sim.chat("x").json["system_fingerprint"].string == "replica 31.2 attempt 31.2.47")
    let started = processField(22, of: sim.process.pid)
    sim.process.send(SIGTERM)
    try await sim.process.waitForExit()
    let log = try sim.log
    #expect(log.map { $0["event"].string } == ["start", "ready", "serving", "stop"])
    for line in log {
      #expect(line["pid"].int == Int(sim.process.pid))
      #expect(line["startTime"].int.map(String.init) == started)
      #expect(line["devices"].strings == ["gpu-0", "gpu-3"])
      #expect(line["milli"].int == 500)
      #expect(line["replica"].string == "31.2")
      #expect(line["attempt"].string == "31.2.47")
    }
    let times = log.compactMap { $0["timeMicroseconds"].int }
    #expect(times.count == 4)
    #expect(times == times.sorted())
    #expect(log[1]["port"].int == sim.port)
    #expect(log[1]["models"].strings == ["sim"])
    #expect(log[1]["deviceMemory"].string == "70GiB")
    #expect(log[3]["requests"].int == 1)
  }

  @Test func `An engine that is told to stop as soon as it began says so`() async throws {
    var last: Int?
    for round in 0..<8 {
      let process = try Sim.spawn([], environment: ["WHARF_ATTEMPT": "\(round)"], in: folder)
      let mark = #""attempt":"\#(round)""#
      try await eventually("it began") { folder.text("engine-log")?.contains(mark) ?? false }
      // At once, and then at some moment on the way to serving.
      try await Task.sleep(for: .milliseconds(round * 10))
      process.send(SIGTERM)
      #expect(try await process.waitForExit() == .code(0))
      let lines = try Sim.log(in: folder).filter { $0["attempt"].string == "\(round)" }
      #expect(lines.first?["event"].string == "start" && lines.last?["event"].string == "stop")
      let times = lines.compactMap { $0["timeMicroseconds"].int }
      #expect(times == times.sorted() && last ?? 0 <= times.first ?? 0, "\(times)")
      #expect(lines.last?["pid"].int == Int(process.pid))
      last = times.last
    }
  }

  @Test func `Many engines share one log, a whole line each`() async throws {
    var processes: [Child] = []
    for index in 0..<12 {
      processes.append(
        try Sim.spawn(
          ["--fail-at-load", "3"], environment: ["WHARF_ATTEMPT": "\(index)"], in: folder))
    }
    for process in processes { try await process.waitForExit() }
    let log = try Sim.log(in: folder)
    #expect(log.count == 24)
    #expect(Set(log.compactMap { $0["attempt"].string }).count == 12)
    #expect(folder.survivors() == [])
  }
}
