// A system of a test's own: real programs, a folder, ports and a home that nobody else has, and the
// means to see and to kill every process of it.

import Foundation
import Glibc
import Hosting
import Machine
import TestKit
import Testing
import Wire

@testable import Up

/// What a command printed, and how it ended.
struct Ran: CustomStringConvertible {
  let status: TestKit.ExitStatus
  let output: String
  let errors: String
  var description: String { "\(status)\n\(output)\n\(errors)" }
}

final class TestSystem: Sendable {
  let folder: TestFolder
  let data: String
  let apiPort: Int
  let gatewayPort: Int
  /// What every command is started with: to become another user.
  private let become: [String]

  init(become: [String] = [], owner: uid_t? = nil) throws {
    folder = try TestFolder()
    data = folder.path("data")
    self.become = become
    apiPort = try Ports.one()
    gatewayPort = try Ports.one()
    for name in ["home", "home/runtime"] {
      try FileManager.default.createDirectory(
        atPath: folder.path(name), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
      if let owner { chown(folder.path(name), owner, gid_t.max) }
    }
    if let owner { chown(folder.root, owner, gid_t.max) }
  }

  /// Whatever a test did: nothing is left running.
  deinit {
    // Twice: a supervisor may have started one more in between.
    for _ in 0..<2 {
      for pid in processes() { kill(pid, SIGKILL) }
    }
    try? FileManager.default.removeItem(atPath: SocketFolder.path(layout))
  }

  var layout: Layout { Layout(real: data) }
  var url: String { "http://127.0.0.1:\(apiPort)" }

  /// - Returns: whether it could, and on which port.
  static func listen(_ socket: Int32, on port: Int) -> (bound: Bool, port: Int) {
    var yes: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = in_port_t(port).bigEndian
    place.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard bind(socket, address, size) == 0, Glibc.listen(socket, 4) == 0,
          getsockname(socket, address, &size) == 0
        else { return (false, 0) }
        return (true, Int(in_port_t(bigEndian: pointer.pointee.sin_port)))
      }
    }
  }

  func isFree(_ port: Int) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    return Self.listen(socket, on: port).bound
  }

  // MARK: - Commands

  /// - Parameter isBare: without a runtime folder, as below su or cron.
  func start(
    _ arguments: [String], program: String = builtProgram("wharf"), isBare: Bool = false
  ) throws -> Child {
    var environment = ["HOME": folder.path("home")]
    if !isBare { environment["XDG_RUNTIME_DIR"] = folder.path("home/runtime") }
    return try Child(
      become + [program] + arguments, environment: folder.environment(environment), folder: folder)
  }

  @discardableResult
  func wharf(_ arguments: String..., limitSeconds: Double = 180) async throws -> Ran {
    try await finish(start(arguments), limitSeconds: limitSeconds)
  }

  func finish(_ child: Child, limitSeconds: Double = 180) async throws -> Ran {
    let status = try await child.waitForExit(withinSeconds: limitSeconds)
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  /// Only the database and wharfd, unless told otherwise.
  var small: [String] {
    ["up", "--data", data, "--api-port", "\(apiPort)", "--nodes", "0", "--no-gateway"]
  }

  var whole: [String] {
    [
      "up", "--data", data, "--api-port", "\(apiPort)", "--gateway-port", "\(gatewayPort)",
      "--nodes", "1", "--devices", "2xH100-80G",
    ]
  }

  @discardableResult
  func up(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws
    -> String
  {
    let ran = try await finish(start(arguments + ["--detach"]))
    try #require(ran.status == .code(0), "\(ran)", sourceLocation: sourceLocation)
    #expect(await isHealthy(), sourceLocation: sourceLocation)
    return ran.output
  }

  /// Stops it, and sees that nothing is left.
  @discardableResult
  func down(sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
    let ran = try await wharf("down", "--data", data)
    #expect(ran.status == .code(0), "\(ran)", sourceLocation: sourceLocation)
    #expect(processes() == [], sourceLocation: sourceLocation)
    #expect(isFree(apiPort) && isFree(gatewayPort), sourceLocation: sourceLocation)
    return ran.output
  }

  // MARK: - What runs

  /// Every process of the system: by the mark in its environment, or, for PostgreSQL's, which write
  /// over theirs, by the folder they work in. None that only waits to be reaped.
  func processes() -> [pid_t] {
    let marked = Set(folder.survivors())
    return ProcessTable.pids.filter { pid in
      guard ProcessTable.status(of: pid)?.isZombie == false else { return false }
      return marked.contains(pid) || ProcessTable.workingFolder(of: pid)?.hasPrefix(data) == true
    }
  }

  func pid(_ program: String) throws -> pid_t {
    let record = try #require(ProcessRecord(file: layout.record(program)))
    try #require(record.isAlive, "\(program) does not run")
    return record.pid
  }

  func isAlive(_ program: String) -> Bool {
    ProcessRecord(file: layout.record(program))?.isAlive == true
  }

  func engines() -> [pid_t] {
    processes().filter { ProcessTable.status(of: $0)?.name == "wharf-engine-si" }
  }

  /// `kill -9`, and seen to be gone.
  func kill9(_ pid: pid_t) async throws {
    kill(pid, SIGKILL)
    try await eventually("\(pid) is gone") {
      ProcessTable.status(of: pid)?.isZombie ?? true
    }
  }

  func supervisor() throws -> pid_t {
    try #require(SupervisorLock.holder(layout), "no supervisor runs").process.pid
  }

  /// It came back as another process, and answers.
  func comesBack(_ program: String, otherThan old: pid_t) async throws {
    try await eventually("\(program) is back", withinSeconds: 60) {
      let record = ProcessRecord(file: layout.record(program))
      return record?.isAlive == true && record?.pid != old
    }
    // A command is proof that the log can be written.
    try await eventually("a command is done", withinSeconds: 60) {
      (try? await send(RegisterTeam(name: try Name("t-\(program)-\(old)"), audience: .internal)))
        != nil
    }
  }

  // MARK: - The API

  func isHealthy() async -> Bool { await ControlClient(url: url).isHealthy() }

  var token: String? { try? SecretFiles.read(layout.adminToken)?.text }

  @discardableResult
  func send(_ command: some Hosting.Command) async throws -> Position {
    let id = CommandID(
      at: Timestamp(microseconds: Int64(time(nil)) * 1_000_000),
      random: (.random(in: .min ... .max), .random(in: .min ... .max)))
    return try await ControlClient(url: url).send(
      CommandCall(id: id, command), token: Secret(text: token ?? "")
    ).position
  }
}
