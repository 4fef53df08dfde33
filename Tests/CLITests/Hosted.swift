// A wharfd on the test's database, and people who use it: each with a home and a token.

import Foundation
import TestKit
import Testing

/// Tests against real programs: one after another, since each starts a system of its own.
@Suite(.serialized, .database)
enum AgainstWharfd {}

/// Someone at a command line.
struct Someone: Sendable {
  /// Kept, so that it runs while it is used.
  let hosted: Hosted
  let folder: String
  var environment: [String: String]

  /// `wharf` with these arguments.
  @discardableResult
  func wharf(_ arguments: String..., input: String = "") async throws -> Ran {
    try await Programs.run(
      "wharf", arguments, environment: environment, folder: folder, input: input)
  }

  /// Runs what must succeed, and gives its stdout without the last newline.
  @discardableResult
  func does(
    _ arguments: String..., input: String = "", at location: SourceLocation = #_sourceLocation
  ) async throws -> String {
    let ran = try await Programs.run(
      "wharf", arguments, environment: environment, folder: folder, input: input)
    try #require(
      ran.code == 0, "wharf \(arguments.joined(separator: " ")): \(ran)", sourceLocation: location)
    return String(ran.out.dropLast())
  }
}

extension Someone {
  /// The position that the next event gets: a fresh log holds its setup and the usual engines.
  func next() async throws -> Int {
    try #require(Int(try await does("status", "-q"))) + 1
  }
}

/// Used by one test, which starts, pauses and stops it one after the other.
final class Hosted: @unchecked Sendable {
  let folder: String
  let port: UInt16
  /// Another than the test's own, where a test moves the log.
  var database: String?
  private var daemon: Child?
  private static let stopSeconds = 40.0

  var api: String { "http://127.0.0.1:\(port)" }
  var tokenFile: String { "\(folder)/admin-token" }

  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/wharf-cli-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    port = try Programs.freePort()
  }

  /// Starts wharfd, and waits until it leads and the first admin may log in.
  ///
  /// - Parameter name: whose home it is that looks, and so sees the head.
  func start(as name: String = "admin") async throws {
    let daemon = try program()
    self.daemon = daemon
    try await Programs.until("wharfd is ready") {
      // One that will not lead says why, and ends: there is nothing to wait for.
      if let status = daemon.status() {
        throw TestFailure("wharfd ended with \(status): \(daemon.errors)")
      }
      guard FileManager.default.fileExists(atPath: tokenFile) else { return false }
      return try await admin(name).wharf("whoami").code == 0
    }
  }

  private func program() throws -> Child {
    try Programs.start(
      "wharfd",
      [
        "run", "--listen", "127.0.0.1:\(port)", "--secret-file", "\(folder)/secret",
        "--admin-token-file", tokenFile,
      ],
      environment: [
        "WHARF_DATABASE_URL": database ?? TestDatabase.current.url, "PATH": "/usr/bin:/bin",
      ],
      folder: folder)
  }

  /// The next wharfd is a new one to the log: the last would refuse one that is not what it saw.
  func forgetSeen() throws {
    for file in try FileManager.default.contentsOfDirectory(atPath: folder)
    where file.hasSuffix(".seen") {
      try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
    }
  }

  /// What a wharfd says that ends by itself.
  func refusal() async throws -> String {
    let child = try program()
    #expect(try await child.waitForExit() == .code(1))
    return child.errors
  }

  /// Ends wharfd, at once or after it has closed what it does.
  func stop(by signal: Int32 = SIGTERM) {
    guard let daemon = daemon.take() else { return }
    daemon.send(signal)
    do { try daemon.blockUntilExit(withinSeconds: Self.stopSeconds) } catch {
      Issue.record("wharfd after signal \(signal): \(error)\n\(daemon.errors)")
    }
  }

  /// Which process it is, as `wharf up` writes it down: pid, start, boot, and what was started.
  func record() throws -> String {
    let pid = try #require(daemon).pid
    func text(_ path: String) throws -> String {
      try Programs.text(URL(fileURLWithPath: path))
    }
    let fields = try #require(text("/proc/\(pid)/stat").split(separator: ")").last)
      .split(separator: " ")
    return try "\(pid) \(fields[19]) \(text("/proc/sys/kernel/random/boot_id").dropLast()) wharfd\n"
  }

  func pause() { daemon?.send(SIGSTOP) }
  func resume() { daemon?.send(SIGCONT) }

  /// A person with a home of their own, not logged in.
  func someone(_ name: String, token: String? = nil) throws -> Someone {
    let home = "\(folder)/\(name)"
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
    var environment = ["HOME": home, "WHARF_API": api, "PATH": "/usr/bin:/bin", "TMPDIR": folder]
    environment["WHARF_TOKEN"] = token
    return Someone(hosted: self, folder: home, environment: environment)
  }

  func admin(_ name: String = "admin") throws -> Someone {
    let token = try Programs.text(URL(fileURLWithPath: tokenFile))
    return try someone(name, token: String(token.dropLast()))
  }

  /// Invited by the admin, and logged in.
  func invited(_ name: String, _ role: String) async throws -> Someone {
    let invitation = try await admin().does("person", "invite", name, "--role", role, "-q")
    let person = try someone(name)
    try await person.does("login", "--invitation", invitation)
    return person
  }

  deinit {
    stop(by: SIGKILL)
    try? FileManager.default.removeItem(atPath: folder)
  }
}

extension Someone {
  static let engine = """
    kind: engine
    name: sim
    tasks: [chat]
    command: [wharf-engine-sim, --port, "${port}"]
    readiness: {path: /health, listsModel: true, periodMilliseconds: 200, deadlineSeconds: 60}
    stopGraceSeconds: 5
    """

  /// A provider with an agreement, an engine, and an embargoed model with one version.
  func onboards(_ model: String = "xai/grok-3") async throws {
    let provider = String(model.prefix { $0 != "/" })
    try await does("provider", "register", provider, "--name", provider.uppercased())
    try await does(
      "agreement", "sign", provider, "--scope", "inference", "--audience", "internal,external",
      "--from", "2025-05-01", "--until", "2095-05-01", "--notice-days", "90")
    try await does("engine", "define", "-f", "-", input: Self.engine)
    try await does("model", "onboard", model, "--task", "chat", "--context", "131072")
    try await does(
      "model", "add-version", "\(model):1", "--engine", "sim", "--devices", "2",
      "--device-memory", "70GiB")
  }
}
