// The engine's output, its surroundings, and a disk that fills up.

import Foundation
import Glibc
import TestKit
import Testing

@Suite(.turn, .bounded) struct `The holder's log` {
  let folder = try! TestFolder()

  @Test func `Output of both kinds is appended to what is there`() async throws {
    try "before\n".write(toFile: folder.path("log"), atomically: true, encoding: .utf8)
    let holder = try Holder(shell("echo out; echo err >&2"), in: folder)
    _ = try await holder.finalState()
    #expect(folder.text("log")?.hasPrefix("before\nout\nerr\n") == true)
  }

  @Test func `The log is rotated by size and bounded`() async throws {
    let lines = 40_000
    let holder = try Holder(
      shell("seq 1 \(lines)"), options: ["--log-max-bytes", "65536"], in: folder)
    #expect(try await holder.finalState()?.exitStatus == .init(code: 0))
    #expect(folder.size("log") <= 65536)
    #expect(folder.size("log.1") <= 65536)
    let kept = (folder.text("log.1") ?? "") + (folder.text("log") ?? "")
    let numbers = kept.split(separator: "\n").dropFirst().compactMap { Int($0) }
    #expect(numbers.last == lines)
    #expect(numbers == Array((numbers.first ?? 0)...lines), "the last of it, without a gap")
    #expect(!FileManager.default.fileExists(atPath: folder.path("log.2")))
  }

  @Test func `The engine inherits no descriptor, no mask and no disposition`() async throws {
    let holder = try Holder(
      shell("ls -l /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status; echo $MARKED"),
      in: folder, prelude: "trap '' INT HUP USR1 PIPE CHLD; MARKED=yes; export MARKED",
      leakedDescriptor: 50)
    #expect(try await holder.finalState()?.exitStatus == .init(code: 0))
    let output = try #require(folder.text("log"))
    let descriptors = output.split(separator: "\n").filter { $0.contains(" -> ") }
    // ls itself opens the folder.
    #expect(descriptors.count == 4, "\(descriptors)")
    #expect(descriptors.contains { $0.hasSuffix("0 -> /dev/null") })
    #expect(!output.contains(" 50 -> "))
    #expect(output.contains("SigBlk:\t0000000000000000"))
    #expect(output.contains("SigIgn:\t0000000000000000"))
    #expect(output.contains("yes"), "the environment is inherited as given")
  }

  @Test func `The holder itself keeps no descriptor it was given`() async throws {
    let holder = try Holder(shell("echo up; sleep 1000"), in: folder, leakedDescriptor: 50)
    try await holder.waitForOutput("up")
    let root = "/proc/\(holder.process.pid)/fd"
    // It looks through /proc for a moment whenever a child of its ends: those are not kept. One that is
    // closed between the listing and the look has no target.
    let targets = try FileManager.default.contentsOfDirectory(atPath: root).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/\($0)")
    }.filter { !$0.hasPrefix("/proc") }
    #expect(!targets.contains { $0.hasSuffix(".out") || $0.hasSuffix(".err") })
    #expect(targets.count <= 7, "\(targets)")
    holder.process.send(SIGTERM)
    _ = try await holder.finalState()
    #expect(folder.survivors() == [])
  }

  @Test func `A holder with nothing to do uses no time`() async throws {
    let holder = try Holder(shell("echo up; sleep 1000"), in: folder)
    try await holder.waitForOutput("up")
    let before = try #require(processField(14, of: holder.process.pid).flatMap(Int.init))
    try await Task.sleep(for: .milliseconds(500))
    let after = try #require(processField(14, of: holder.process.pid).flatMap(Int.init))
    #expect(after - before <= 1, "clock ticks spent while waiting")
    holder.process.send(SIGTERM)
    _ = try await holder.finalState()
  }

  /// A file system of 64 KiB, full once the engine runs.
  @Test(.enabled(if: geteuid() == 0, "mounting needs root"))
  func `On a full disk the engine goes on, and its end is recorded`() async throws {
    let disk = folder.path("disk")
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
    try #require(mount("tmpfs", disk, "tmpfs", 0, "size=64k") == 0)
    defer { umount2(disk, Int32(MNT_DETACH)) }
    let done = folder.path("done")
    let fill = "cat /dev/zero > \(disk)/fill; seq 1 100000; echo done > \(done); exit 9"
    let process = try Child(
      [builtProgram("wharf-holder"), "--state", "\(disk)/state", "--log", "\(disk)/log", "--"]
        + shell(fill), environment: folder.environment(), folder: folder)
    #expect(try await process.waitForExit() == .code(0))
    #expect(folder.text("done") == "done\n", "it did not wait for the disk")
    #expect(try Holder.state(at: "\(disk)/state")?.exitStatus == .init(code: 9))
  }
}
