// Weights are what they claim, or they are not loaded.

import Glibc
import Hosting
import Machine
import TestTools
import Testing
import Time
import Wire

@testable import Agent

@Suite(.serialized, .bounded) struct `Weights that are pinned` {
  private func write(_ text: String, _ path: String) throws {
    try Files.write(Array(text.utf8), to: path)
  }

  private func sum(_ path: String) throws -> Digest {
    var reader = WeightsReader()
    return try reader.digest(of: path)
  }

  /// What a shell of this machine says of a folder.
  private func said(_ script: String, in folder: String) throws -> String {
    let output = try Spawn.output(
      of: "/bin/sh", ["-c", "cd '\(folder)' && \(script)"],
      environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C"], longestBytes: 4096,
      timeoutSeconds: 20, by: .system)
    return String(decoding: output, as: UTF8.self).prefix { $0 != " " }.description
  }

  /// What the program says of a path.
  private func printed(_ path: String) throws -> String {
    let output = try Spawn.output(
      of: builtProgram("wharf-agent"), ["digest", path], environment: [:],
      longestBytes: 4096, timeoutSeconds: 60, by: .system)
    return String(decoding: output, as: UTF8.self)
  }

  private static let command =
    "find -L . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"

  @Test func `of a file and a folder are what sha256sum says, links followed`() async throws {
    try await Workspace.use { space in
      let folder = space.path + "/model"
      for path in ["", "/b", "/b/deeper", "/z é"] { try Files.makeFolder(folder + path) }
      try write("one", folder + "/b/one")
      try write("two", folder + "/b.two")
      try write("three", folder + "/b/deeper/.three")
      try write("", folder + "/z é/empty")
      try write("outside", space.path + "/blob")
      #expect(symlink("../blob", folder + "/linked") == 0)
      #expect(symlink("b/deeper", folder + "/also") == 0)
      #expect(try sum(folder).description == said(Self.command, in: folder))
      #expect(
        try sum(folder + "/b/one").description == said("sha256sum b/one", in: folder))
      // And so says the program, which people ask for the digest that they pin.
      #expect(try printed(folder) == said(Self.command, in: folder) + "\n")
      #expect(try printed(folder + "/b/one") == said("sha256sum b/one", in: folder) + "\n")
      let before = try sum(folder)
      rename(folder + "/b/one", folder + "/b/uno")
      #expect(try sum(folder) != before, "names count")
      rename(folder + "/b/uno", folder + "/b/one")
      try write("OTHER", space.path + "/blob")
      #expect(try sum(folder) != before, "what a link leads to counts")
    }
  }

  @Test(arguments: ["circle", "broken link", "pipe", "line break", "backslash", "empty", "none"])
  func `of what cannot be told there is no digest`(what: String) async throws {
    try await Workspace.use { space in
      let folder = space.path + "/model"
      if what != "none" { try Files.makeFolder(folder + "/sub") }
      if what != "none", what != "empty" { try write("one", folder + "/one") }
      switch what {
      case "circle": symlink("..", folder + "/sub/up")
      case "broken link": symlink("nowhere", folder + "/sub/gone")
      case "pipe": mkfifo(folder + "/sub/pipe", 0o600)
      case "line break": try write("x", folder + "/sub/a\nb")
      case "backslash": try write("x", folder + "/sub/a\\b")
      default: break
      }
      #expect(throws: WeightsProblem.self) { try sum(folder) }
    }
  }

  @Test func `a file is read again only when it may be another one`() throws {
    var memory = WeightsMemory()
    var status = stat()
    stat("/proc/self/exe", &status)
    let stamp = FileStamp(status)
    memory.remember(digest(1), of: "/m", stamp)
    #expect(memory.digest(of: "/m", stamp) == digest(1))
    #expect(memory.digest(of: "/n", stamp) == nil)
    for change in 0..<5 {
      var other = status
      switch change {
      case 0: other.st_ino += 1
      case 1: other.st_size += 1
      case 2: other.st_mtim.tv_nsec = (other.st_mtim.tv_nsec + 1) % 1_000_000_000
      case 3: other.st_ctim.tv_nsec = (other.st_ctim.tv_nsec + 1) % 1_000_000_000
      default: other.st_dev += 1
      }
      #expect(memory.digest(of: "/m", FileStamp(other)) == nil, "\(change)")
    }
    for number in 0..<WeightsMemory.entriesLimit {
      memory.remember(digest(2), of: "/m\(number)", stamp)
    }
    #expect(memory.entries.count == WeightsMemory.entriesLimit)
    #expect(memory.digest(of: "/m", stamp) == nil)
    #expect(try WeightsMemory(jsonBytes: memory.jsonBytes) == memory)
  }

  private func pinned(_ id: String, _ path: String?, _ weights: Digest, _ log: String)
    -> AssignedAttempt
  {
    var attempt = assigned(id, launch: simLaunch(engineLog: log))
    attempt.modelPath = path
    attempt.weights = weights
    return attempt
  }

  @Test func `only the ones that were pinned are ever loaded, and known again after a restart`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        let (path, log) = (space.path + "/weights", space.path + "/engines")
        try write("those that were meant", path)
        let good = try sum(path)
        let ports = Workspace.ports()
        try await LocalAgent.use(space, server, ports: ports) { _ in
          await server.standIn.assign(40, [pinned("31.1.40", path, good, log)])
          _ = try await server.standIn.see(.ready, of: "31.1.40")
          #expect(await server.standIn.phases(of: "31.1.40").contains(.ready))
          await server.standIn.assign(41, [])
          _ = try await server.standIn.see(.ended, of: "31.1.40")

          // Another file, of the same length.
          try write("those that were MEANT", path)
          let found = try sum(path)
          await server.standIn.assign(50, [pinned("31.1.50", path, good, log)])
          let ended = try await server.standIn.see(.ended, of: "31.1.50")
          #expect(ended.cause == .weightsDiffer)
          #expect(ended.weights == WeightsFound(wanted: good, found: found))

          await server.standIn.assign(60, [pinned("31.1.60", space.path + "/none", good, log)])
          #expect(try await server.standIn.see(.ended, of: "31.1.60").cause == .weightsUnreadable)
          await server.standIn.assign(70, [pinned("31.1.70", nil, good, log)])
          #expect(try await server.standIn.see(.ended, of: "31.1.70").cause == .weightsUnreadable)
          try await server.standIn.clear(71)
        }
        let lines = String(decoding: Files.tail(log, bytes: 1 << 16), as: UTF8.self)
        #expect(lines.split(separator: "\n").count { $0.contains("\"start\"") } == 1)
      }
    }
  }

  @Test func `while they are read the attempt says so, and what is wanted no more is not read on`()
    async throws
  {
    try await Workspace.use { space in
      try await StandInServer.use { server in
        // Two hundred GiB of nothing take longer than any test.
        let path = space.path + "/slow"
        try Files.makeFolder(path)
        let large = path + "/large"
        let descriptor = open(large, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        #expect(ftruncate(descriptor, 200 << 30) == 0)
        close(descriptor)
        try await LocalAgent.use(space, server) { agent in
          await server.standIn.assign(
            40, [pinned("31.1.40", path, digest(1), space.path + "/engines")])
          _ = try await server.standIn.see(.checkingWeights, of: "31.1.40")
          try await server.standIn.clear(41)
          try await eventually("nobody reads on") { await agent.agent.readings.isEmpty }
        }
      }
    }
  }
}
