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
  let cluster: TestCluster
  let database: TestDatabase
  private let ports: [Int]
  private let running = Mutex<[Child?]>(Array(repeating: nil, count: count))
  private static let nextPort = Mutex(Int(getpid()) % 200 * 20 + 28_000)

  init() async throws {
    folder = try TestFolder()
    cluster = try await TestCluster.dedicated(settings: .init(fsync: true))
    database = try await cluster.makeDatabase()
    ports = (0..<Self.count).map { _ in
      Self.nextPort.withLock { port in
        port += 1
        return port
      }
    }
    for number in 0..<Self.count { try start(number) }
    try await eventually("wharfd are ready", withinSeconds: 40) {
      for number in 0..<Self.count where await !isHealthy(number) { return false }
      return true
    }
  }

  deinit {
    for child in running.withLock({ $0 }) { child?.send(SIGKILL) }
  }

  /// Ends everything. A test that fails before leaves its cluster to its watcher.
  func remove() async {
    for child in running.withLock({ $0 }) { child?.send(SIGKILL) }
    await cluster.remove()
  }

  func url(_ number: Int) -> String { "http://127.0.0.1:\(ports[number])" }

  func token() throws -> String {
    try #require(folder.text("admin.token")).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func start(_ number: Int) throws {
    let child = try Child(
      [
        builtProgram("wharfd"), "run", "--listen", "127.0.0.1:\(ports[number])", "--secret-file",
        folder.path("secret"), "--admin-token-file", folder.path("admin.token"),
      ], environment: folder.environment(["WHARF_DATABASE_URL": database.url]), folder: folder)
    running.withLock { $0[number] = child }
  }

  func send(_ signal: Int32, to number: Int) { running.withLock { $0[number] }?.send(signal) }

  func kill9(_ number: Int) async throws {
    guard let child = running.withLock({ $0[number] }) else { return }
    child.send(SIGKILL)
    _ = try await child.waitForExit()
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

  func leading(withinSeconds limit: Double = 40) async throws -> Int {
    try await eventually("one leads", withinSeconds: limit) { try? leader() }
  }

  func verify() async throws -> Ran {
    let child = try Child(
      [builtProgram("wharfd"), "verify"],
      environment: folder.environment(["WHARF_DATABASE_URL": database.url]), folder: folder)
    let status = try await child.waitForExit(withinSeconds: 60)
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  /// Where the log ends, read past every program of ours.
  func head() throws -> Int64 {
    var connection = try database.connect()
    return try connection.query("SELECT coalesce(max(position), 0) FROM log.events")[0]
      .decode(Int64.self, at: 0)
  }
}

/// Clients that send marks until told to stop; each sends a command again under its id until it knows
/// what became of it.
final class Storm: Sendable {
  private let wharfds: Wharfds
  private let stopping = Mutex(false)
  /// Per client, in the order in which it was told.
  private let acknowledged: Mutex<[[(id: CommandID, position: Position)]]>
  private let refusals = Mutex<[String]>([])

  init(_ wharfds: Wharfds, clients: Int) {
    self.wharfds = wharfds
    acknowledged = Mutex(Array(repeating: [], count: clients))
  }

  var count: Int { acknowledged.withLock { $0.reduce(0) { $0 + $1.count } } }

  /// Runs the clients while `faults` happen; then lets each learn the fate of its last command.
  func during(_ faults: () async throws -> Void) async throws {
    let token = try wharfds.token()
    let clients = acknowledged.withLock { $0.count }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for client in 0..<clients { group.addTask { try await self.run(client, token) } }
      do { try await faults() } catch {
        stopping.withLock { $0 = true }
        throw error
      }
      stopping.withLock { $0 = true }
      try await group.waitForAll()
    }
  }

  /// Waits until that many more commands were acknowledged.
  func goesOn(_ commands: Int = 50, withinSeconds limit: Double = 60) async throws {
    let before = count
    try await eventually("\(commands) more commands are acknowledged", withinSeconds: limit) {
      count >= before + commands
    }
  }

  private func run(_ client: Int, _ token: String) async throws {
    var step = 0
    var target = client
    while !stopping.withLock({ $0 }) {
      step += 1
      let id = CommandID(
        bytes: (0..<16).map { _ in UInt8.random(in: 0...255) })
      let call = CommandCall(id: id, PlaceMark(name: try Name("m-\(client)-\(step)")))
      let deadline = ContinuousClock.now + .seconds(90)
      while true {
        switch await send(call, token, to: target % Wharfds.count) {
        case .stored(let position):
          acknowledged.withLock { $0[client].append((id, position)) }
        case .refused(let why):
          refusals.withLock { $0.append(why) }
        case .unknown:
          // The same id again, to whom it may be.
          guard ContinuousClock.now < deadline else {
            throw TestFailure("the fate of a command stayed unknown for 90 s")
          }
          target += 1
          try await Task.sleep(for: .milliseconds(50))
          continue
        }
        break
      }
    }
  }

  private enum Outcome {
    case stored(Position)
    case refused(String)
    case unknown
  }

  private func send(_ call: CommandCall, _ token: String, to number: Int) async -> Outcome {
    var request = HTTPClientRequest(url: wharfds.url(number) + "/v1/commands")
    request.method = .POST
    request.headers.add(name: "authorization", value: "Bearer \(token)")
    request.headers.add(name: "content-type", value: "application/json")
    request.body = .bytes(call.jsonBytes)
    do {
      let response = try await HTTPClient.shared.execute(request, timeout: .seconds(15))
      let body = try await response.body.collect(upTo: 1 << 20)
      let bytes = Array(body.readableBytesView)
      switch response.status.code {
      case 200: return .stored(try CommandReply(jsonBytes: bytes).position)
      case 400..<500 where response.status != .tooManyRequests:
        return .refused("\(response.status.code) \(String(decoding: bytes, as: UTF8.self))")
      default: return .unknown
      }
    } catch { return .unknown }
  }

  /// Each acknowledged command stands in the table once, where the client was told; nothing stands
  /// there that was not acknowledged; positions have no gap; each client's order is kept.
  func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(
      refusals.withLock { $0 }.prefix(3) == [], "no name was sent twice, so none is refused",
      sourceLocation: sourceLocation)
    var connection = try wharfds.database.connect()
    let rows = try connection.query(
      "SELECT position, type, command_id::text FROM log.events ORDER BY position")
    var stored: [String: Int64] = [:]
    for number in 0..<rows.count {
      let position = try rows[number].decode(Int64.self, at: 0)
      #expect(position == Int64(number) + 1, sourceLocation: sourceLocation)
      guard try rows[number].decode(String.self, at: 1) == "markPlaced" else { continue }
      let id = try rows[number].decode(String.self, at: 2)
      #expect(stored.updateValue(position, forKey: id) == nil, sourceLocation: sourceLocation)
    }
    let told = acknowledged.withLock { $0 }
    var count = 0
    for client in told {
      #expect(
        zip(client, client.dropFirst()).allSatisfy { $0.position < $1.position },
        "each client's order is kept", sourceLocation: sourceLocation)
      count += client.count
      for (id, position) in client {
        #expect(stored["\(id)"] == position.value, sourceLocation: sourceLocation)
      }
    }
    #expect(count == stored.count, sourceLocation: sourceLocation)
  }
}
