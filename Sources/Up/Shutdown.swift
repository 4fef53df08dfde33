// Stops the programs of a system by their records alone, so that it works with a living supervisor,
// without one, and after any crash. The order: gateway, agents, engines, wharfd, PostgreSQL. Each
// is seen to be gone before the next is told.

import Glibc
import Machine
import Time

struct Shutdown: Sendable {
  private static let killWaitSeconds = 10
  private static let enginesLimitSeconds = 120

  let layout: Layout
  let programs: Programs
  let report: Report

  struct Running: Sendable {
    let name: String
    let kind: Part.Kind
    let record: ProcessRecord
  }

  /// What runs of this system, in the order of stopping.
  static func running(_ layout: Layout) -> [Running] {
    Files.names(in: layout.run).compactMap { file -> Running? in
      guard file.hasSuffix(".pid"), let kind = Part.Kind(name: String(file.dropLast(4))),
        let record = ProcessRecord(file: "\(layout.run)/\(file)"), record.isAlive
      else { return nil }
      return Running(name: String(file.dropLast(4)), kind: kind, record: record)
    }.sorted { ($0.kind, $0.name) < ($1.kind, $1.name) }
  }

  /// Everything, engines too.
  ///
  /// - Returns: whether there was anything to stop.
  /// - Throws: what could not be stopped; the rest was, all the same.
  func run() async throws(UpFailure) -> Bool {
    let running = Self.running(layout)
    var problems = await stop(running, kinds: [.initdb, .gateway, .agent])
    let engines = await stopEngines()
    problems += engines.problems
    problems += await stop(running, kinds: [.wharfd, .postgres])
    problems += await endOrphansOfPostgres()
    unlink(layout.status)
    removeSocketFolder()
    UpFile.remove(layout)
    guard problems.isEmpty else {
      throw UpFailure(
        "not everything could be stopped: \(problems.joined(separator: "; "))",
        help: "see the logs in \(layout.logs), and call wharf down again")
    }
    return !running.isEmpty || engines.count > 0
  }

  /// Some programs, by the names of their records; no engines.
  func stop(_ names: Set<String>) async {
    let running = Self.running(layout).filter { names.contains($0.name) }
    _ = await stop(running, kinds: Part.Kind.allCases)
  }

  // MARK: - Programs

  private func stop(_ running: [Running], kinds: [Part.Kind]) async -> [String] {
    var problems: [String] = []
    for kind in kinds {
      let those = running.filter { $0.kind == kind }
      problems += await withTaskGroup(of: String?.self) { group in
        for one in those { group.addTask { await stop(one) } }
        return await group.reduce(into: []) { if let problem = $1 { $0.append(problem) } }
      }
    }
    return problems
  }

  /// - Returns: what went wrong, if anything.
  private func stop(_ running: Running) async -> String? {
    let step = Step("\(running.name) stops", report)
    defer { unlink(layout.record(running.name)) }
    guard let process = RunningProcess(running.record) else { return nil }
    for goodbye in running.kind.goodbyes {
      process.send(goodbye.signal.number)
      // Stopped ones would never hear it.
      process.send(SIGCONT)
      if await process.isOver(within: .seconds(goodbye.waitSeconds)) {
        step.done("\(running.name) stopped")
        return nil
      }
    }
    // The session's other processes are its own.
    if running.kind == .initdb { kill(-running.record.pid, SIGKILL) }
    process.send(SIGKILL)
    guard await process.isOver(within: .seconds(Self.killWaitSeconds)) else {
      return "\(running.name) (pid \(running.record.pid)) does not end"
    }
    step.done("\(running.name) was killed: it did not end")
    return nil
  }

  // MARK: - Engines

  /// By the agents' own means, which know them by their ledger.
  private func stopEngines() async -> (count: Int, problems: [String]) {
    let nodes = Files.names(in: layout.agents).filter { Files.isFolder(layout.agent($0)) }
    guard !nodes.isEmpty else { return (0, []) }
    let step = Step("engines stop", report)
    let results = await withTaskGroup(of: (Int, String?).self) { group in
      for node in nodes { group.addTask { await stopEngines(of: node) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let count = results.reduce(0) { $0 + $1.0 }
    step.done(count == 1 ? "1 engine stopped" : "\(count) engines stopped")
    return (count, results.compactMap(\.1))
  }

  private func stopEngines(of node: String) async -> (Int, String?) {
    let log = "\(layout.logs)/stop-engines-\(node).log"
    unlink(log)
    do {
      let pid = try Launcher.spawn(
        [programs.path("wharf-agent"), "stop-engines", "--data", layout.agent(node)],
        environment: Environment.forPrograms(layout), log: log, inherited: nil)
      let process = try RunningProcess(child: pid, commandDigest: "stop-engines")
      guard await process.isOver(within: .seconds(Self.enginesLimitSeconds)) else {
        process.send(SIGKILL)
        return (0, "the engines of \(node) did not stop within \(Self.enginesLimitSeconds) s")
      }
      let ending = await process.ended() ?? .unknown
      let said = Files.tail(log)
      guard ending == .exited(0) else {
        return (0, "stopping the engines of \(node) \(ending): \(said.last ?? "") (see \(log))")
      }
      // "stopped 2 engines"
      let count = said.last { $0.hasPrefix("stopped ") }.flatMap {
        $0.split(separator: " ").dropFirst().first.flatMap { Int($0) }
      }
      return (count ?? 0, nil)
    } catch {
      return (0, "the engines of \(node) could not be stopped: \(error)")
    }
  }

  // MARK: - What PostgreSQL leaves

  /// Its processes lose heart by themselves once the first of them is killed; soon, and no later.
  private func endOrphansOfPostgres() async -> [String] {
    let deadline = clocks.now + .seconds(Self.killWaitSeconds)
    var left = processesInDatabase()
    var killed = false
    while !left.isEmpty {
      if clocks.now > deadline {
        if killed { return ["processes of PostgreSQL do not end: \(left)"] }
        killed = true
        for pid in left { kill(pid, SIGKILL) }
      }
      try? await clocks.sleep(for: .milliseconds(20))
      left = processesInDatabase()
    }
    return []
  }

  /// Every process of PostgreSQL works in the folder of its files, also while these are made.
  private func processesInDatabase() -> [pid_t] {
    let folders = [layout.postgres, layout.newPostgres]
    return ProcessTable.pids.filter { pid in
      guard let folder = ProcessTable.workingFolder(of: pid), folders.contains(folder),
        let status = ProcessTable.status(of: pid)
      else { return false }
      return status.name == "postgres" && !status.isZombie
    }
  }

  private func removeSocketFolder() {
    let folder = SocketFolder.path(layout)
    for name in [SocketFolder.socket, "\(SocketFolder.socket).lock"] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }
}
