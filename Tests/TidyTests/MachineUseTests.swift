// What the module Machine does for all is written by hand nowhere else: each of these was once, two to six times,
// with a sync that was missing in one place and a short write that was taken for a whole one in another.

import Foundation
import Testing

/// A call, and where it stands all the same.
private struct Kept {
  let what: String
  let instead: String
  /// By file, below Sources: why.
  let exceptions: [String: String]
}

private let own = "tests do not stand on what they test"

private let kept: [Kept] = [
  Kept(
    what: #"[^.A-Za-z_]rename\(|renameat"#, instead: "Files.write, Files.move",
    exceptions: [
      "ControlPlane/Views/Rebuild.swift": "of a schema",
      "Hosting/Upcasting.swift": "of a field",
    ]),
  Kept(
    what: #"\b(fsync|fdatasync)\("#, instead: "Files.write, NewFile",
    exceptions: [
      "CLI/Kit/Terminal.swift": "of standard output, which the shell opened",
      "TestTools/Pace.swift": "it measures the disk",
    ]),
  Kept(
    what: #"\bO_CREAT\b"#, instead: "Files.write, NewFile, LockFile",
    exceptions: [
      "EngineSim/EngineLog.swift": "appended to, line by line",
      "Up/LogFiles.swift": "a copy of a log, of which losing some is no loss",
      "TestTools/Child.swift": own, "TestTools/Ports.swift": own,
    ]),
  Kept(
    what: #"\bflock\("#, instead: "LockFile", exceptions: ["TestTools/Ports.swift": own]),
  Kept(
    what: #"\bposix_spawnp?\("#, instead: "ProgramStart",
    exceptions: ["TestTools/Child.swift": own, "TestTools/Pace.swift": own]),
  Kept(what: #"\bwharf_pidfd_"#, instead: "ProcessHandle", exceptions: [:]),
  Kept(
    what: #""/proc/"#, instead: "ProcessTable, OwnProgram",
    exceptions: [
      "Bench/ChildProcess.swift": "memory, which nobody else asks for",
      "Bench/Circumstances.swift": "what the machine is",
      "EngineSim/EngineLog.swift": "what engines write down is the tests' oracle",
      "TestTools/TestFolder.swift": own,
    ]),
  Kept(
    what: #"\b(opendir|realpath|readlink)\("#, instead: "Files.names, Files.realPath, Files.target",
    exceptions: [:]),
  Kept(
    what: #"\bgetaddrinfo\(|SO_REUSEADDR"#, instead: "Port",
    exceptions: ["TestTools/Ports.swift": own]),
]

@Suite struct MachineUseTests {
  private let sources = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

  @Test func `what Machine does is done by hand nowhere else`() throws {
    let all = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
    let files = (all?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }
    try #require(!files.isEmpty)
    var used = kept.map { _ in Set<String>() }
    for file in files {
      let place = file.path.components(separatedBy: "/Sources/").last ?? ""
      if place.hasPrefix("Machine/") { continue }
      let code = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        .filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//") }
        .joined(separator: "\n")
      for (index, one) in kept.enumerated()
      where code.contains(try Regex(one.what).wordBoundaryKind(.simple)) {
        used[index].insert(place)
        #expect(
          one.exceptions[place] != nil, "\(place) does \(one.what) by hand: use \(one.instead)")
      }
    }
    for (one, used) in zip(kept, used) {
      #expect(
        used.isSuperset(of: one.exceptions.keys),
        "exceptions that are not needed any more: \(Set(one.exceptions.keys).subtracting(used))")
    }
  }
}
