// A system of separate programs on a database that a test can exchange: wharfd, one agent, one
// gateway, and people at the command line.

import AsyncHTTPClient
import Foundation
import Glibc
import Hosting
import NIOCore
import Synchronization
import TestKit
import Testing
import Wire

final class Site: HasGateway {
  let folder: TestFolder
  let apiPort: Int
  let gatewayPort: Int
  /// Where wharfd are: programs ask all of them, the first one first; people ask the last.
  let servers: [String]
  private let running = Mutex<[String: Child]>([:])
  /// Of each node's engines, for all agents that it has one after the other.
  private let enginePorts = Mutex<[Int: ClosedRange<Int>]>([:])

  init() throws {
    folder = try TestFolder()
    (apiPort, gatewayPort) = (try Ports.one(), try Ports.one())
    servers = ["http://127.0.0.1:\(apiPort)"]
  }

  /// One whose wharfd are others' to start and to stop.
  init(of wharfds: Wharfds) throws {
    folder = try TestFolder()
    (apiPort, gatewayPort) = (try Ports.one(), try Ports.one())
    servers = (0..<Wharfds.count).map(wharfds.url)
    try Data(wharfds.token().utf8).write(to: URL(filePath: folder.path("token")))
  }

  var api: String { servers[servers.count - 1] }

  /// Short, so that a test is; but nothing that lives is taken for lost on a machine that is as slow as it
  /// was when this was first asked.
  static let nodeLostSeconds = Int((10 * Pace.stretch).rounded(.up))

  // MARK: Programs

  /// - Parameter key: how the running program is called here, where there are several of its kind.
  private func start(
    _ name: String, _ arguments: [String], _ more: [String: String] = [:], as key: String? = nil
  ) throws {
    let child = try Child(
      [builtProgram(name)] + arguments, environment: folder.environment(more), folder: folder)
    running.withLock { $0[key ?? name] = child }
  }

  func send(_ signal: Int32, to name: String) { running.withLock { $0[name] }?.send(signal) }

  func stop(_ name: String, by signal: Int32 = SIGTERM) async throws {
    guard running.withLock({ $0[name] }) != nil else { return }
    _ = try await stopped(name, by: signal)
  }

  /// How it ended, and all that it said.
  func stopped(
    _ name: String, by signal: Int32 = SIGTERM
  ) async throws -> (status: TestKit.ExitStatus, said: String) {
    let child = try #require(running.withLock { $0.removeValue(forKey: name) })
    child.send(signal)
    return (try await child.waitForExit(), child.errors)
  }

  func pid(_ name: String) throws -> pid_t { try #require(running.withLock { $0[name] }).pid }

  func said(_ name: String) -> String { running.withLock { $0[name]?.errors ?? "" } }

  func run(_ name: String, _ arguments: [String], _ more: [String: String] = [:]) async throws
    -> Ran
  {
    let child = try Child(
      [builtProgram(name)] + arguments, environment: folder.environment(more), folder: folder)
    let status = try await child.waitForExit(withinSeconds: 90)
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  private var daemonArguments: [String] {
    [
      "run", "--listen", "127.0.0.1:\(apiPort)", "--secret-file", folder.path("secret"),
      "--admin-token-file", folder.path("token"),
    ]
  }

  /// The next wharfd is a new one to the log.
  func forgetSeen() throws {
    try FileManager.default.removeItem(atPath: folder.path("secret.127.0.0.1:\(apiPort).seen"))
  }

  /// The head that the gateway keeps.
  func gatewaySeen() throws -> HeadWitness? {
    struct Kept: JSONRecord { let head: HeadWitness }
    guard let text = folder.text("gateway.seen") else { return nil }
    return try JSONDecoding.read(
      Kept.self, from: JSONValue(document: Array(text.utf8)), strict: false
    ).head
  }

  /// Starts wharfd, and waits until it answers someone.
  func startDaemon(
    on database: TestDatabase, for name: String = "ada", with more: [String] = []
  ) async throws {
    try start("wharfd", daemonArguments + more, ["WHARF_DATABASE_URL": database.url])
    let daemon = running.withLock { $0["wharfd"] }
    try await eventually("wharfd answers") {
      // One that will not lead says why, and ends: there is nothing to wait for.
      if let status = daemon?.status() {
        throw TestFailure("wharfd ended with \(status): \(daemon?.errors ?? "")")
      }
      guard folder.text("token") != nil else { return false }
      return try await wharf(["whoami"], as: name).status == .code(0)
    }
  }

  /// A wharfd that is to end by itself.
  func daemonRefusal(on database: TestDatabase) async throws -> Ran {
    try await run("wharfd", daemonArguments, ["WHARF_DATABASE_URL": database.url])
  }

  /// The first node's agent is called `wharf-agent` here, any other one `wharf-agent NODE`.
  static func agent(_ node: Int) -> String {
    node == 1 ? "wharf-agent" : "wharf-agent node-\(node)"
  }

  func agentFolder(_ node: Int) -> String {
    folder.path(node == 1 ? "agent" : "agent-\(node)")
  }

  /// - Parameters:
  ///   - name: how it is to join; its usual name, unless told otherwise.
  ///   - devices: simulated ones; none, where a tool lists them.
  func startAgent(
    _ node: Int = 1, name: String? = nil, devices: String? = "4xH100-80G",
    asking: [String]? = nil, with more: [String] = [], in environment: [String: String] = [:]
  ) async throws {
    let file = folder.path("join-token-\(node)")
    if !FileManager.default.fileExists(atPath: "\(agentFolder(node))/node.json") {
      let token = try await done("node", "join-token", "-q")
      try folder.write(secret: token, to: "join-token-\(node)")
    }
    let ports = try enginePorts.withLock { known in
      let ports = try known[node] ?? Ports.take(10)
      known[node] = ports
      return ports
    }
    try start(
      "wharf-agent",
      ["run"] + (asking ?? servers).flatMap { ["--server", $0] } + [
        "--data", agentFolder(node), "--name", name ?? "node-\(node)", "--join-token-file", file,
        "--port-range",
        "\(ports.lowerBound)-\(ports.upperBound)",
        "--cpu", "8", "--memory", "64GiB",
      ] + (devices.map { ["--devices", $0] } ?? []) + more, environment, as: Self.agent(node))
  }

  /// What engines wrote of the devices that they held, by node.
  func holdings(
    nodes: ClosedRange<Int> = 1...1, killed: [pid_t: Int64] = [:]
  ) throws -> EngineHoldings {
    try EngineHoldings(
      logs: Dictionary(
        uniqueKeysWithValues: nodes.map { node in
          let file = "\(agentFolder(node))/\(Site.engineLog)"
          return ("node-\(node)", (try? String(contentsOfFile: file, encoding: .utf8)) ?? "")
        }), killed: killed)
  }

  /// In the agent's folder: an engine works in that of its attempt.
  static let engineLog = "engines.jsonl"
  static let engineLogArgument = "--engine-log=../../\(engineLog)"

  /// - Parameters:
  ///   - gateway: whose process it is to be.
  ///   - key: how the process is called here, and which port it takes, where there are several.
  func startGateway(
    of gateway: String = "edge", as key: String = "wharf-gateway", port: Int? = nil,
    asking: [String]? = nil
  ) async throws {
    let file = gatewayFile(gateway)
    if folder.text(file) == nil {
      let credential = try await done("gateway", "register", gateway, "-q")
      try folder.write(secret: credential, to: file)
    }
    try start(
      "wharf-gateway",
      ["run"] + (asking ?? servers).flatMap { ["--server", $0] } + [
        "--listen", "127.0.0.1:\(port ?? gatewayPort)", "--credential-file", folder.path(file),
        "--drain-seconds", "1",
      ], as: key)
  }

  /// With the credential of a gateway.
  func gatewayFile(_ gateway: String) -> String {
    gateway == "edge" ? "gateway" : "gateway-\(gateway)"
  }

  /// The number behind a name in the gateway's metrics.
  func metric(_ name: String) async throws -> Double? {
    let request = HTTPClientRequest(url: "http://127.0.0.1:\(gatewayPort)/metrics")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
    let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
    return text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
      .flatMap { Double($0.split(separator: " ").last ?? "") }
  }

  /// The pids of engines, in order.
  var engines: [pid_t] { folder.engines }

  /// A test that failed leaves nothing behind.
  deinit {
    for child in running.withLock({ $0.values }) { child.send(SIGKILL) }
    for pid in folder.survivors() + engines { kill(pid, SIGKILL) }
  }

  /// Ends everything, engines too.
  func end() async throws {
    for name in running.withLock({ $0.keys.sorted() }) { try await stop(name, by: SIGKILL) }
    for node in 1...2 {
      _ = try await run("wharf-agent", ["stop-engines", "--data", agentFolder(node)])
    }
  }

  // MARK: People

  func wharf(_ arguments: [String], as name: String = "ada") async throws -> Ran {
    try await run(
      "wharf", arguments,
      [
        "HOME": folder.path(name), "XDG_STATE_HOME": folder.path("\(name)-state"),
        "WHARF_API": api, "NO_COLOR": "1", "COLUMNS": "200",
        "WHARF_TOKEN": (folder.text("token") ?? "").trimmingCharacters(in: .whitespacesAndNewlines),
      ])
  }

  @discardableResult
  func done(
    _ arguments: String..., as name: String = "ada",
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let ran = try await wharf(arguments, as: name)
    try #require(
      ran.status == .code(0), "wharf \(arguments.joined(separator: " ")): \(ran)",
      sourceLocation: sourceLocation)
    return ran.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// What a command takes on this machine now, with all that runs beside it.
  func commandSeconds() async throws -> Double {
    let start = ContinuousClock.now
    try await done("status", "-q")
    return (ContinuousClock.now - start) / .seconds(1)
  }

  /// What a command said as JSON.
  func fields(_ arguments: String...) async throws -> [String: Any] {
    let ran = try await wharf(arguments + ["-o", "json"])
    try #require(ran.status == .code(0), "\(ran)")
    return try #require(
      JSONSerialization.jsonObject(with: Data(ran.output.utf8)) as? [String: Any], "\(ran)")
  }

  func events(_ type: String) async throws -> [[String: Any]] {
    let items = try await fields("events", "--type", type, "--limit", "1000")["items"]
    return try #require(items as? [[String: Any]])
  }

  /// Where the last event of a type stands.
  func position(of type: String) async throws -> Int64 {
    try #require(try await events(type).compactMap { $0["position"] as? Int64 }.max())
  }

  func replicas() async throws -> [[String: Any]] {
    try #require(try await fields("replica", "list")["items"] as? [[String: Any]])
  }

  func node(_ name: String = "node-1") async throws -> [String: Any] {
    try #require(try await fields("node", "show", name)["item"] as? [String: Any])
  }

  /// Where the log ends.
  func position() async throws -> Int64 {
    try #require(Int64(try await done("status", "-q")))
  }

  /// G3: desired is observed, and then nothing more is appended for as long as several full passes
  /// of the reconciler, heartbeats and polls take.
  func expectRest(
    withinSeconds limit: Double = Pace.patienceSeconds,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await eventually("the log rests", withinSeconds: limit) {
      let before = try await position()
      try await Task.sleep(for: .seconds(Self.restSeconds))
      return try await position() == before
    }
  }
  private static let restSeconds = 6.0

  /// A provider with a model that has version 1.
  func onboard(
    _ provider: String, _ model: String, until: String = "2095-05-01", engine: String = "sim",
    arguments: [String] = []
  ) async throws {
    try await done("provider", "register", provider)
    try await done(
      "agreement", "sign", provider, "--scope", "inference", "--audience", "internal", "--from",
      "2025-05-01", "--until", until, "--notice-days", "90")
    try await done(
      "model", "onboard", "\(provider)/\(model)", "--task", "chat", "--context", "131072")
    try await addVersion("\(provider)/\(model):1", engine: engine, arguments: arguments)
  }

  func addVersion(
    _ version: String, engine: String = "sim", arguments: [String] = []
  ) async throws {
    let ran = try await wharf(
      [
        "model", "add-version", version, "--engine", engine, "--devices", "1", "--device-memory",
        "70GiB", "--argument", Self.engineLogArgument,
      ] + arguments.map { "--argument=\($0)" })
    try #require(ran.status == .code(0), "\(ran)")
  }

  /// A model with one deployment, its replicas ready.
  func deploy(replicas: Int, arguments: [String] = []) async throws {
    try await onboard("xai", "grok-3", arguments: arguments)
    try await done(
      "deployment", "create", "grok", "--model", "xai/grok-3:1", "--replicas", "\(replicas)",
      "--wait")
  }

  /// A key of a team that may use these models, as often as it likes.
  func key(for models: String...) async throws -> String {
    try await done("team", "register", "copilot", "--audience", "internal")
    for model in models {
      try await done("model", "publish", model, "--to", "internal", "--stage", "preview")
      try await done("team", "grant", "copilot", model)
    }
    return try await done("key", "issue", "copilot", "--name", "laptop", "-q")
  }

  func lastWords() -> String {
    running.withLock { $0 }.sorted { $0.key < $1.key }.map { name, child in
      let last = child.errors.split(separator: "\n").suffix(15).joined(separator: "\n")
      return "\(name):\n\(last)"
    }.joined(separator: "\n")
  }
}

extension TestFolder {
  /// The pids of the engines that have their folders in it, in order.
  var engines: [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { pid in
      let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      let name = command.split(separator: 0).first.map { String(decoding: $0, as: UTF8.self) } ?? ""
      guard name.hasSuffix("wharf-engine-sim") else { return false }
      let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
      return String(decoding: environment, as: UTF8.self).contains(root)
    }.sorted()
  }
}
