// A whole system of a test's own: `wharf up` in a folder of its own, its command line, its gateway.

import AsyncHTTPClient
import Foundation
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import Synchronization
import TestKit
import Testing

/// What a command printed, and how it ended.
struct Ran: CustomStringConvertible {
  let status: TestKit.ExitStatus
  let output: String
  let errors: String
  var description: String { "\(status)\n\(output)\n\(errors)" }

  /// The JSON that it printed.
  func json() throws -> JSONValue { try JSONValue(document: Array(output.utf8)) }
}

final class System: HasGateway {
  let folder: TestFolder
  let apiPort: Int
  let gatewayPort: Int
  /// Folders that are looked through for programs before all others.
  private let programs: String?

  init(programs: String? = nil) throws {
    self.programs = programs
    folder = try TestFolder()
    (apiPort, gatewayPort) = (try Ports.one(), try Ports.one())
    for name in ["runtime", "config", "state"] {
      try FileManager.default.createDirectory(
        atPath: folder.path(name), withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    }
  }

  var data: String { folder.path("data") }

  private var environment: [String: String] {
    var environment = folder.environment([
      "XDG_RUNTIME_DIR": folder.path("runtime"), "XDG_CONFIG_HOME": folder.path("config"),
      "XDG_STATE_HOME": folder.path("state"), "HOME": folder.root, "NO_COLOR": "1",
      "COLUMNS": "140",
    ])
    if let programs { environment["PATH"] = "\(programs):\(environment["PATH"]!)" }
    return environment
  }

  /// A test that failed leaves nothing running: first the supervisor, which would start others anew.
  deinit {
    for pid in pids(of: "wharf") { kill(pid, SIGKILL) }
    for pid in processes() { kill(pid, SIGKILL) }
  }

  /// Runs `wharf` and waits for its end.
  @discardableResult
  func wharf(_ arguments: String..., limitSeconds: Double = 90) async throws -> Ran {
    try await run("wharf", arguments, limitSeconds: limitSeconds)
  }

  func run(_ program: String, _ arguments: [String], limitSeconds: Double = 90) async throws -> Ran
  {
    let child = try Child(
      [builtProgram(program)] + arguments, environment: environment, folder: folder)
    let status = try await child.waitForExit(withinSeconds: limitSeconds)
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  /// Runs lines of a shell in the system's folder, with the built programs at hand.
  func shell(_ script: String, limitSeconds: Double = 180) async throws -> Ran {
    var environment = environment
    let programs = (builtProgram("wharf") as NSString).deletingLastPathComponent
    environment["PATH"] = "\(programs):\(environment["PATH"]!)"
    environment["COLUMNS"] = "100"
    let child = try Child(
      ["bash", "-c", "cd \(folder.root) && \(script)"], environment: environment, folder: folder)
    let status = try await child.waitForExit(withinSeconds: limitSeconds)
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  /// Runs `wharf` and expects it to succeed.
  @discardableResult
  func done(
    _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let ran = try await run("wharf", arguments)
    try #require(
      ran.status == .code(0), "wharf \(arguments.joined(separator: " ")): \(ran)",
      sourceLocation: sourceLocation)
    return ran.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Runs `wharf` and expects it to be refused; gives what it said.
  @discardableResult
  func refused(
    _ arguments: String..., code: Int32 = 1, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let ran = try await run("wharf", arguments)
    #expect(
      ran.status == .code(code), "wharf \(arguments.joined(separator: " ")): \(ran)",
      sourceLocation: sourceLocation)
    return ran.errors
  }

  func up(nodes: Int = 2) async throws {
    let ran = try await wharf(
      "up", "--data", data, "--api-port", "\(apiPort)", "--gateway-port", "\(gatewayPort)",
      "--nodes",
      "\(nodes)", "--devices", "4xH100-80G", "--detach", limitSeconds: 120)
    try #require(ran.status == .code(0), "\(ran)")
  }

  /// Stops everything, and sees that nothing is left.
  func down() async throws {
    let ran = try await wharf("down", "--data", data, limitSeconds: 120)
    #expect(ran.status == .code(0), "\(ran)")
    try await eventually("no process is left") { self.processes().isEmpty }
  }

  /// What engines wrote of the devices that they held, by node.
  func holdings(killed: [pid_t: Int64] = [:]) throws -> EngineHoldings {
    let agents = "\(data)/agents"
    let nodes = try FileManager.default.contentsOfDirectory(atPath: agents)
    return try EngineHoldings(
      logs: Dictionary(
        uniqueKeysWithValues: nodes.map { node in
          let file = "\(agents)/\(node)/\(Site.engineLog)"
          return (node, (try? String(contentsOfFile: file, encoding: .utf8)) ?? "")
        }), killed: killed)
  }

  // MARK: The gateway

  /// The vectors of these sentences; nil as long as the gateway knows no replica that is ready.
  func embed(_ key: String, _ model: String, _ sentences: [String]) async throws -> [[Double]]? {
    struct Asked: Encodable { let model: String, input: [String] }
    struct Reply: Decodable {
      struct Vector: Decodable { let index: Int, embedding: [Double] }
      let data: [Vector]
    }
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(gatewayPort)/v1/embeddings")
    request.method = .POST
    request.headers.add(name: "authorization", value: "Bearer \(key)")
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(try JSONEncoder().encode(Asked(model: model, input: sentences)))
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
    let body = try await response.body.collect(upTo: 1 << 20)
    guard response.status.code != 503 else { return nil }
    try #require(response.status.code == 200, "\(String(buffer: body))")
    return try JSONDecoder().decode(Reply.self, from: Data(body.readableBytesView)).data
      .sorted { $0.index < $1.index }.map(\.embedding)
  }

  /// What its programs said last, for a test that failed.
  func lastWords() -> String {
    ["gateway", "wharfd", "supervisor"].map { program in
      let log = try? String(contentsOfFile: "\(data)/logs/\(program).log", encoding: .utf8)
      return "\(program):\n" + (log ?? "").split(separator: "\n").suffix(15).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  // MARK: Processes

  /// The pids of this system's processes of one program.
  func pids(of program: String) -> [pid_t] {
    // The kernel keeps 15 characters of a name.
    processes().filter { pid in
      let name = try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)
      return name?.trimmingCharacters(in: .newlines) == String(program.prefix(15))
    }.sorted()
  }

  /// Every process of this system: by the test's mark, or, as engines get a clean environment, by the
  /// folder of their attempt.
  func processes() -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { name in
      guard let pid = pid_t(name),
        let bytes = FileManager.default.contents(atPath: "/proc/\(name)/environ")
      else { return nil }
      let environment = String(decoding: bytes, as: UTF8.self)
      return environment.contains(folder.mark) || environment.contains(folder.root) ? pid : nil
    }
  }

  /// Kills every process of one program, without a chance to clean up.
  func kill9(_ program: String) throws {
    let victims = pids(of: program)
    try #require(!victims.isEmpty, "no \(program) runs")
    for pid in victims { kill(pid, SIGKILL) }
  }
}
