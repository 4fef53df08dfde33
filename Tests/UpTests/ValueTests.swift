// The parts that are values: pauses, shares, records, and how short a log is kept.

import Foundation
import Glibc
import Machine
import TestKit
import Testing

@testable import Up

@Suite struct ValueTests {
  @Test func `pauses double up to a limit, and begin anew after a sound run`() {
    var restarts = Restarts()
    let pauses = (0..<9).map { _ in restarts.pause(afterRunning: .zero) / .milliseconds(1) }
    #expect(pauses == [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 15_000, 15_000])
    #expect(restarts.pause(afterRunning: .seconds(30)) == .milliseconds(200))
  }

  @Test func `nodes share the engines' ports without overlap`() {
    var settings = SystemSettings(Layout(real: "/a"))
    settings.nodes = 3
    let shares = (0..<3).map { settings.enginePorts(node: $0) }
    #expect(Set(shares.flatMap { Array($0) }).count == shares.reduce(0) { $0 + $1.count })
    #expect(shares[0].lowerBound == settings.firstEnginePort)
    #expect(shares[2].upperBound <= settings.lastEnginePort)
  }

  @Test(arguments: [65, 1_000])
  func `hundreds of nodes have ports of their own, where there are enough`(nodes: Int) {
    var settings = SystemSettings(Layout(real: "/a"))
    (settings.nodes, settings.devices) = (nodes, "4xH100-80G")
    (settings.firstEnginePort, settings.lastEnginePort) = (20_000, 20_000 + 4 * nodes - 1)
    #expect(settings.problem() == nil)
    let shares = (0..<nodes).map { settings.enginePorts(node: $0) }
    #expect(Set(shares.joined()).count == 4 * nodes)
    #expect(shares.allSatisfy { $0.lowerBound >= 20_000 && $0.count == 4 })
    #expect(shares.last?.upperBound == settings.lastEnginePort)
    #expect(settings.nodeNames.count == nodes)
  }

  @Test(arguments: [20_000, 29_900, 64_000])
  func `with too few ports for its nodes it names ports that would do`(first: Int) throws {
    var settings = SystemSettings(Layout(real: "/a"))
    (settings.nodes, settings.devices) = (1_000, "none")
    (settings.firstEnginePort, settings.lastEnginePort) = (first, first + 999)
    let problem = try #require(settings.problem())
    let range = try #require(problem.firstMatch(of: /--engine-ports ([0-9]+)-([0-9]+)$/))
    settings.firstEnginePort = try #require(Int(range.1))
    settings.lastEnginePort = try #require(Int(range.2))
    #expect(settings.problem() == nil, "\(problem)")
  }

  @Test(arguments: ["/a b", "/it's \"here\"", "/$HOME/`id`", "/plain"])
  func `what the summary says to type names the folder as it is`(data: String) throws {
    let layout = Layout(real: data)
    let text = Summary.text(layout, SystemSettings(layout), opening: "Wharf is up.")
    let line = try #require(text.split(separator: "\n").last { $0.hasPrefix("Stop it with ") })
    let command = line.dropFirst("Stop it with ".count)
    #expect(data != "/a b" || command == "wharf down --data '/a b'")
    let told = try shell("wharf() { printf '%s\\n' \"$@\"; }; \(command)")
    #expect(told == "down\n--data\n\(data)\n")
  }

  @Test func `what a program said at each of its tries is told once`() throws {
    let folder = try TestFolder()
    let lines = (0..<3).flatMap {
      [
        "2026-11-25T06:58:4\($0)+0000 info wharfd: begins",
        "2026-11-25T06:58:4\($0)+0000 critical wharfd: stops: x",
      ]
    }
    try (lines + ["bare", "bare"]).joined(separator: "\n").write(
      toFile: folder.path("log"), atomically: true, encoding: .utf8)
    #expect(Files.tailWithoutRepetition(folder.path("log")) == Array(lines.suffix(2)) + ["bare"])
  }

  @Test func `a record half written, of another start or of another boot is of no live process`()
    throws
  {
    let folder = try TestFolder()
    let own = try #require(ProcessRecord(pid: getpid(), commandDigest: "digest"))
    #expect(own.isAlive)
    let file = folder.path("record")
    func read(_ text: String) throws -> ProcessRecord? {
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      return ProcessRecord(file: file)
    }
    #expect(try read(own.text) == own)
    #expect(try read(String(own.text.dropLast())) == nil)
    #expect(try read("") == nil)
    #expect(try read("\(own.pid) \(own.startTicks + 1) \(own.bootID) digest\n")?.isAlive == false)
    #expect(try read("\(own.pid) \(own.startTicks) another digest\n")?.isAlive == false)
  }

  @Test func `a long log is put aside once, and its writer goes on in the same file`() throws {
    let folder = try TestFolder()
    let layout = Layout(real: folder.root)
    try Files.prepareFolder(layout.logs)
    let writer = open(layout.log("x"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(writer) }
    let line = Array("0123456789\n".utf8)
    for _ in 0..<20 { write(writer, line, line.count) }
    LogFiles.keepShort(layout, longest: 100)
    #expect(folder.size("logs/x.log") == 0)
    #expect(folder.size("logs/x.log.1") == 220)
    write(writer, line, line.count)
    LogFiles.keepShort(layout, longest: 100)
    #expect(folder.text("logs/x.log") == "0123456789\n")
  }

  @Test func `the socket's path is short wherever the data and the runtime folder are`() throws {
    let folder = try TestFolder()
    let deep = Layout(real: "/" + String(repeating: "deep/", count: 60) + "data")
    let long = folder.path(String(repeating: "r", count: 100))
    let short = "/tmp/wharf-runtime-\(getpid())"
    for runtime in [long, short] { try Files.prepareFolder(runtime) }
    defer { rmdir(short) }
    func path(_ runtime: String?) -> String {
      SocketFolder.path(
        deep, environment: runtime.map { ["XDG_RUNTIME_DIR": $0] } ?? [:], user: 1_000)
    }
    #expect(path(short) == "\(short)/wharf-\(deep.mark)")
    for found in [path(long), path(nil), SocketFolder.path(deep, environment: [:], user: 0)] {
      #expect("\(found)/\(SocketFolder.socket)".utf8.count <= SocketFolder.longestPathBytes)
      #expect(found.contains(deep.mark))
    }
  }

  @Test func `another database or port is another command`() {
    let command = Command(line: ["a"], environment: ["X": "1"], folder: "/")
    var other = command
    other.environment["X"] = "2"
    #expect(command.digest == other.digest)
    other.particular = ["X": "2"]
    #expect(command.digest != other.digest)
    #expect(
      Command(line: ["a", "b"], environment: [:], folder: "/").digest
        != Command(line: ["ab"], environment: [:], folder: "/").digest)
  }
}
