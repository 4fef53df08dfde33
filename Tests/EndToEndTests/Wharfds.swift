// Two real wharfd on one database, and clients that send commands to either and keep their own list of
// what was acknowledged: the oracle is outside.

import AsyncHTTPClient
import Foundation
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import Postgres
import Synchronization
import TestKit
import Testing
import Wire

final class Wharfds: Sendable {
  static let count = 2
  let folder: TestFolder
  /// Where their log is now; another one once a standby was promoted.
  private let place: Mutex<TestDatabase>
  var database: TestDatabase { place.withLock { $0 } }
  var cluster: TestCluster { database.cluster }
  /// Between the first of them and the database, where a test wants it.
  let proxy: PostgresProxy?
  private let ports: [Int]
  /// Of every wharfd, beside what a start is given.
  private let environment: [String: String]
  private let running = Mutex<[Child?]>(Array(repeating: nil, count: count))

  init(
    proxied: Bool = false, environment: [String: String] = [:]
  ) async throws {
    folder = try TestFolder()
    self.environment = environment
    let cluster = try await TestCluster.dedicated(settings: .init(fsync: true))
    place = Mutex(try await cluster.makeDatabase())
    proxy = proxied ? try PostgresProxy(server: cluster.folder) : nil
    ports = try (0..<Self.count).map { _ in try Ports.one() }
    // The first leads.
    for number in 0..<Self.count {
      try start(number)
      try await ready(number)
    }
  }

  func ready(_ number: Int) async throws {
    do {
      try await eventually("wharfd \(number) is ready") {
        if let status = running.withLock({ $0[number] })?.status() {
          throw TestFailure("wharfd \(number) ended with \(status)")
        }
        return await isHealthy(number)
      }
    } catch let failure as TestFailure {
      throw TestFailure("\(failure); its last words:\n\(lastWords(of: number))")
    }
  }

  private func lastWords(of number: Int) -> String {
    let said = running.withLock { $0[number] }?.errors ?? ""
    return said.split(separator: "\n").suffix(30).joined(separator: "\n")
  }

  deinit {
    for child in running.withLock({ $0 }) { child?.send(SIGKILL) }
  }

  /// Ends everything. A test that fails before leaves its cluster to its watcher.
  func remove() async {
    for child in running.withLock({ $0 }) { child?.send(SIGKILL) }
    proxy?.close()
    await cluster.remove()
  }

  func url(_ number: Int) -> String { "http://127.0.0.1:\(ports[number])" }
  func port(_ number: Int) -> Int { ports[number] }

  func token() throws -> String {
    try #require(folder.text("admin.token")).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// - Parameters:
  ///   - more: of its environment.
  ///   - arguments: more of them.
  func start(
    _ number: Int, with more: [String: String] = [:], _ arguments: [String] = []
  ) throws {
    let child = try Child(
      [
        builtProgram("wharfd"), "run", "--listen", "127.0.0.1:\(ports[number])", "--secret-file",
        folder.path("secret"), "--admin-token-file", folder.path("admin.token"),
      ] + arguments,
      environment: folder.environment(
        environment.merging(["WHARF_DATABASE_URL": databaseURL(number)]) { $1 }
          .merging(more) { $1 }), folder: folder)
    running.withLock { $0[number] = child }
  }

  /// Begins a new era on a standby that was promoted, and leads all of them there.
  func move(to standby: TestCluster) async throws {
    for number in 0..<Self.count { try await kill9(number) }
    place.withLock { $0 = $0.on(standby) }
    let recovered = try await wharfd("recover", "--yes")
    try #require(recovered.status == .code(0), "\(recovered)")
    for number in 0..<Self.count { try start(number) }
    for number in 0..<Self.count { try await ready(number) }
  }

  /// Each has a name of its own at the database.
  func name(_ number: Int) -> String { "wharfd-\(number)" }

  private func databaseURL(_ number: Int) -> String {
    let url = number == 0 ? proxy?.url(database: database.name) ?? database.url : database.url
    return url + "&application_name=\(name(number))"
  }

  /// The backend over which one of them follows or leads: the first that it has.
  func memberBackend(_ number: Int) throws -> Int32 {
    var connection = try database.connect()
    let rows = try connection.query(
      """
      SELECT pid FROM pg_stat_activity WHERE application_name = \(name(number))
      AND datname = current_database() AND query !~ 'LISTEN' ORDER BY backend_start LIMIT 1
      """)
    return try #require(rows.first).decode(Int32.self, at: 0)
  }

  /// Ends all that one of them has open at the database, which it does not hear of where its way there is
  /// frozen.
  func endSessions(_ number: Int) throws {
    var connection = try database.connect()
    _ = try connection.query(
      """
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \(name(number))
      """)
  }

  func send(_ signal: Int32, to number: Int) { running.withLock { $0[number] }?.send(signal) }

  func kill9(_ number: Int) async throws {
    guard let child = running.withLock({ $0[number] }) else { return }
    child.send(SIGKILL)
    _ = try await child.waitForExit()
  }

  /// How one ended that was told to.
  func ended(_ number: Int) async throws -> TestKit.ExitStatus? {
    try await running.withLock { $0[number] }?.waitForExit()
  }

  /// What each said last.
  func said(lines: Int = 15) -> String {
    running.withLock { $0 }.enumerated().map { number, child in
      let errors = child?.errors.split(separator: "\n").suffix(lines).joined(separator: "\n")
      return "wharfd \(number), \(child?.status().map { "\($0)" } ?? "runs"):\n\(errors ?? "")"
    }.joined(separator: "\n")
  }

  func isHealthy(_ number: Int) async -> Bool {
    let request = HTTPClientRequest(url: url(number) + "/health")
    return (try? await HTTPClient.shared.execute(request, timeout: .seconds(2)))?.status == .ok
  }

  /// Which of them leads, as the courtesy row has it; nil while none can be told.
  func leader() throws -> Int? {
    var connection = try database.connect()
    let rows = try connection.query(
      "SELECT address FROM log.leader WHERE instance IS NOT NULL")
    guard rows.count == 1 else { return nil }
    let address = try rows[0].decode(String.self, at: 0)
    return ports.firstIndex { address.hasSuffix(":\($0)") }
  }

  func leading(withinSeconds limit: Double = Pace.patienceSeconds) async throws -> Int {
    try await eventually("one leads", withinSeconds: limit) { try? leader() }
  }

  func verify() async throws -> Ran { try await wharfd("verify") }

  /// Runs one of wharfd's tools on the database.
  func wharfd(_ tool: String...) async throws -> Ran {
    let child = try Child(
      [builtProgram("wharfd")] + tool,
      environment: folder.environment(["WHARF_DATABASE_URL": database.url]), folder: folder)
    let status = try await child.waitForExit()
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  /// Where the log ends, read past every program of ours.
  func head() throws -> Int64 {
    var connection = try database.connect()
    return try connection.query("SELECT coalesce(max(position), 0) FROM log.events")[0]
      .decode(Int64.self, at: 0)
  }
}
