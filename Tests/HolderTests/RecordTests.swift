// What the holder records of an engine's start and end.

import Foundation
import Glibc
import TestKit
import Testing

@Suite(.turn, .bounded) struct `The holder's record` {
  let folder = try! TestFolder()

  @Test(arguments: [Int32(0), 1, 3, 255])
  func `An exit code is recorded`(code: Int32) async throws {
    let holder = try Holder(shell("exit \(code)"), in: folder)
    let state = try await holder.finalState()
    #expect(holder.process.status() == .code(0))
    #expect(state?.phase == "exited")
    #expect(state?.exitStatus == .init(code: code))
    #expect(state?.exitedAtMicroseconds ?? 0 >= state?.startedAtMicroseconds ?? .max)
    #expect(folder.survivors() == [])
  }

  @Test(arguments: [SIGKILL, SIGSEGV, SIGTERM])
  func `The signal that ended an engine is recorded`(signal: Int32) async throws {
    let holder = try Holder(shell("kill -\(signal) $$"), in: folder)
    #expect(try await holder.finalState()?.exitStatus == .init(signal: signal))
    #expect(folder.survivors() == [])
  }

  @Test func `The engine is on record before its program runs`() async throws {
    let holder = try Holder(shell("cat $STATE; echo pid $$ parent $PPID"), in: folder)
    let last = try #require(try await holder.finalState())
    let output = try #require(folder.text("log"))
    #expect(output.contains("\"phase\":\"running\""))
    #expect(output.contains("\"exitStatus\":null"))
    #expect(output.contains("pid \(last.pid ?? 0) parent \(last.holderPid)"))
    #expect(output.contains("\"pid\":\(last.pid ?? 0),"))
    #expect(last.holderPid == holder.process.pid)
  }

  @Test func `Start times and boot id are those of proc`() async throws {
    let holder = try Holder(shell("echo up; sleep 1000"), in: folder)
    try await holder.waitForOutput("up")
    let state = try #require(try holder.state)
    let pid = try #require(state.pid)
    #expect(state.startTime.map(String.init) == processField(22, of: pid))
    #expect(String(state.holderStartTime) == processField(22, of: holder.process.pid))
    let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    #expect(state.bootId == boot.trimmingCharacters(in: .newlines))
    #expect(processField(5, of: pid) == "\(pid)", "it leads its own process group")
    holder.process.send(SIGTERM)
    #expect(try await holder.finalState()?.exitStatus == .init(signal: SIGTERM))
  }

  @Test func `A program that cannot be executed is recorded with its errno`() async throws {
    // In a folder of the test's own: any other might exist.
    let engine = folder.path("none/engine")
    let holder = try Holder([engine], in: folder)
    let state = try await holder.finalState()
    #expect(holder.process.status() == .code(127))
    #expect(state?.phase == "failed")
    #expect(state?.errno == ENOENT)
    #expect(state?.exitStatus == .init(code: 127))
    #expect(state?.error?.contains(engine) == true)
    #expect(holder.process.errors.contains("cannot execute \(engine)"))
    #expect(folder.survivors() == [])
  }

  @Test func `A working folder is entered, or the start fails`() async throws {
    let good = try Holder(shell("pwd"), options: ["--chdir", folder.root], in: folder)
    #expect(try await good.finalState()?.exitStatus == .init(code: 0))
    #expect(folder.text("log")?.contains(folder.root) == true)
    let bad = try Holder(shell("pwd"), options: ["--chdir", folder.path("none")], in: folder)
    let state = try await bad.finalState()
    #expect(state?.phase == "failed")
    #expect(state?.errno == ENOENT)
  }

  @Test func `Without a state file no engine is started`() async throws {
    let missing = try Holder(
      shell("touch \(folder.path("ran"))"), in: folder, statePath: folder.path("none/state"))
    #expect(try await missing.process.waitForExit() == .code(74))
    #expect(missing.process.errors.contains("none/state: No such file"))
    // Writing fails as on a full disk; the log can still be opened.
    let full = try Holder(
      shell("touch \(folder.path("ran"))"), in: folder, prelude: "trap '' XFSZ; ulimit -f 0")
    #expect(try await full.process.waitForExit() == .code(74))
    #expect(!FileManager.default.fileExists(atPath: folder.path("ran")))
    #expect(!FileManager.default.fileExists(atPath: folder.path("state")))
  }

  @Test(arguments: [
    [], ["--state", "x"], ["--state", "x", "--log", "y"], ["--unknown"],
    ["--state", "x", "--log", "y", "--log-max-bytes", "-1", "--", "true"],
    ["--state", "x", "--log", "y", "--stop-grace-seconds", "soon", "--", "true"],
  ])
  func `A line that cannot be used is refused`(arguments: [String]) async throws {
    let process = try Child(
      [builtProgram("wharf-holder")] + arguments, environment: folder.environment(),
      folder: folder)
    #expect(try await process.waitForExit() == .code(2))
    #expect(!process.errors.isEmpty)
  }

  /// Killed at any moment, with the state file read all the while.
  @Test func `The state file is never half written`() async throws {
    let path = folder.path("state")
    var phases: Set<String> = []
    // What one takes that is left alone, on this machine; some are killed past that.
    let start = ContinuousClock.now
    for _ in 0..<3 { _ = try await Holder(shell("exit 3"), in: folder).finalState() }
    let life = (ContinuousClock.now - start) / 3
    unlink(path)
    for round in 0..<80 {
      let holder = try Holder(shell("exit 3"), in: folder)
      let deadline = ContinuousClock.now + life * round / 50
      while ContinuousClock.now < deadline {
        if let state = try Holder.state(at: path) { phases.insert(state.phase) }
      }
      holder.process.send(SIGKILL)
      try await holder.process.waitForExit()
      if let state = try Holder.state(at: path) { phases.insert(state.phase) }
      try await eventually("nothing is left of round \(round)") { folder.survivors().isEmpty }
    }
    #expect(phases.isSubset(of: ["starting", "running", "exited"]))
    #expect(phases.count > 1, "the rounds met more than one phase: \(phases)")
  }
}
