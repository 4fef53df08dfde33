// How an engine and all it started come to their end.

import Foundation
import Glibc
import TestKit
import Testing

@Suite(.turn, .bounded) struct `The holder's stop` {
  let folder = try! TestFolder()
  /// Two that ignore SIGTERM: one in the engine's group, one in a session of its own.
  private static let children = """
    sh -c "trap '' TERM; echo child; while :; do sleep 1; done" &
    setsid sh -c "trap '' TERM; echo runaway; while :; do sleep 1; done" &

    """
  private static let stubborn = "trap '' TERM; \(children) echo up; while :; do sleep 1; done"

  private func allUp(_ holder: Holder) async throws {
    for word in ["up", "child", "runaway"] { try await holder.waitForOutput(word) }
  }

  @Test func `SIGTERM lets the engine end in its own way`() async throws {
    let holder = try Holder(
      shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"), in: folder)
    try await holder.waitForOutput("up")
    holder.process.send(SIGTERM)
    #expect(try await holder.finalState()?.exitStatus == .init(code: 7))
    #expect(folder.text("log")?.contains("bye") == true)
    #expect(folder.survivors() == [])
  }

  @Test func `An engine that ignores SIGTERM is killed after the grace, with its descendants`()
    async throws
  {
    let grace = ["--stop-grace-seconds", "1"]
    let holder = try Holder(shell(Self.stubborn), options: grace, in: folder)
    try await allUp(holder)
    let asked = ContinuousClock.now
    holder.process.send(SIGTERM)
    #expect(try await holder.finalState()?.exitStatus == .init(signal: SIGKILL))
    #expect(ContinuousClock.now - asked >= .seconds(1), "the grace was given")
    #expect(folder.survivors() == [])
    #expect(folder.text("log")?.contains("did not end within 1 s") == true)
  }

  @Test func `What an engine leaves behind is killed when it ends`() async throws {
    // It ends once both are there.
    let log = folder.path("log")
    let leaving = """
      \(Self.children)
      until grep -q child '\(log)' && grep -q runaway '\(log)'; do sleep 0.02; done; exit 5
      """
    let holder = try Holder(shell(leaving), in: folder)
    let state = try await holder.finalState()
    #expect(state?.exitStatus == .init(code: 5))
    #expect(folder.text("log")?.contains("runaway") == true)
    #expect(folder.survivors() == [], "recorded only once all is gone")
  }

  @Test func `The engine dies with a holder that is killed`() async throws {
    let holder = try Holder(shell("trap '' TERM; echo up; while :; do sleep 0.1; done"), in: folder)
    try await holder.waitForOutput("up")
    let pid = try #require(try holder.state?.pid)
    let start = processField(22, of: pid)
    holder.process.send(SIGKILL)
    #expect(try await holder.process.waitForExit() == .signal(SIGKILL))
    try await eventually("the engine is gone") {
      processField(22, of: pid) != start || processField(3, of: pid) == "Z"
    }
    let state = try #require(try holder.state)
    #expect(state.phase == "running", "nobody was there to record the end")
    try await eventually("its children are gone") { folder.survivors().isEmpty }
  }

  @Test func `The holder outlives its parent, in a session of its own`() async throws {
    let line = Holder.line(shell("echo up; sleep 1000"), in: folder)
    let parent = try Child(
      ["/bin/sh", "-c", "\"$@\" & echo $!", "sh"] + line, environment: folder.environment(),
      folder: folder)
    #expect(try await parent.waitForExit() == .code(0))
    let path = folder.path("state")
    let state = try await eventually("the engine is on record") {
      try Holder.state(at: path).flatMap { $0.pid == nil ? nil : $0 }
    }
    #expect(parent.output == "\(state.holderPid)\n")
    #expect(processField(6, of: state.holderPid) == "\(state.holderPid)", "it leads a session")
    for signal in [SIGINT, SIGHUP, SIGPIPE, SIGUSR1] { kill(state.holderPid, signal) }
    kill(state.holderPid, SIGTERM)
    try await eventually("the end is recorded") { try Holder.state(at: path)?.phase == "exited" }
    #expect(try Holder.state(at: path)?.exitStatus == .init(signal: SIGTERM))
    try await eventually("nothing is left") { folder.survivors().isEmpty }
  }

  @Test func `Whoever starts the holder sees its output end once the engine runs`() async throws {
    let line = Holder.line(shell("sleep 1000"), in: folder)
    let caller = try Child(
      ["/bin/sh", "-c", "pid=$(\"$@\" & echo $!); kill -TERM $pid", "sh"] + line,
      environment: folder.environment(), folder: folder)
    #expect(try await caller.waitForExit() == .code(0))
    try await eventually("nothing is left") { folder.survivors().isEmpty }
    #expect(try Holder.state(at: folder.path("state"))?.phase == "exited")
  }

  @Test func `An orphan that ends while the engine runs leaves no zombie`() async throws {
    let holder = try Holder(
      shell("sh -c 'sleep 0.2 & echo orphan $!'; echo up; sleep 1000"), in: folder)
    try await holder.waitForOutput("up")
    let words = try #require(folder.text("log")).split(whereSeparator: \.isWhitespace)
    let orphan = try #require(pid_t(words[1]))
    try await eventually("the orphan was reaped") { processField(3, of: orphan) == nil }
    #expect(try holder.state?.phase == "running")
    holder.process.send(SIGTERM)
    #expect(try await holder.finalState()?.exitStatus == .init(signal: SIGTERM))
  }
}
