// Short programs are waited for with a limit, whatever they do.

import Glibc
import TestTools
import Testing
import Time

@testable import Agent

@Suite(.bounded) struct `Short programs` {
  private func output(_ script: String, timeoutSeconds: Int) throws -> String {
    let bytes = try Spawn.output(
      of: "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], longestBytes: 1_000,
      timeoutSeconds: timeoutSeconds, by: .system)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `give what they print, or say that they failed`() throws {
    #expect(try output("echo one; echo two", timeoutSeconds: 300) == "one\ntwo\n")
    #expect(throws: Spawn.Problem(description: "/bin/sh failed")) {
      try output("exit 3", timeoutSeconds: 300)
    }
  }

  @Test(arguments: ["exec sleep 600", "exec sleep 600 >/dev/null 2>&1"])
  func `are killed when they take longer, with their output open or closed`(script: String) throws {
    let watch = Stopwatch()
    #expect(throws: Spawn.Problem(description: "/bin/sh did not finish within 1 s")) {
      try output(script, timeoutSeconds: 1)
    }
    #expect(watch.seconds < 20)
  }

  @Test func `that do not end are given up`() throws {
    let (pid, output) = try Spawn.start("/bin/sleep", ["600"], environment: [:])
    defer { close(output) }
    let now = Clocks.system.bootTime
    #expect(Spawn.reap(pid, until: now.adding(milliseconds: 50), by: .system) == nil)
    kill(pid, SIGKILL)
    #expect(Spawn.reap(pid, until: now.adding(seconds: 300), by: .system) == SIGKILL)
  }
}
