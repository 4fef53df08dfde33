// The programs of a run on its world: a wharfd, gateways, and what asks them.

import AsyncHTTPClient
import EventLog
import Glibc
import Hosting
import Machine
import NIOCore
import NIOHTTP1
import Postgres
import Wire

final class ScaleSystem {
  static let database = "wharf_bench_scale"
  private static let readySeconds = 600
  private static let stopSeconds = 30

  let cluster: Cluster
  let folder: String
  private let programs: String
  private(set) var wharfd: ChildProcess?
  private(set) var port: UInt16 = 0
  private var gateways: [ChildProcess] = []

  /// - Parameter programs: the folder with wharfd and wharf-gateway.
  init(_ cluster: Cluster, programs: String) throws {
    self.cluster = cluster
    self.programs = programs
    var template = Array("/tmp/wharf-bench-scale-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw BenchFailure("cannot make a folder in /tmp: \(String(cString: strerror(errno)))")
    }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The log belongs to the secret that it was made with.
    try TextFile.write(Member.secretText, to: "\(folder)/secret")
    chmod("\(folder)/secret", 0o600)
    try cluster.create(Self.database)
  }

  var configuration: PostgresConfiguration { cluster.configuration(Self.database) }

  func remove() {
    stop()
    _ = try? ChildProcess.run(
      ["rm", "-rf", folder], in: "/", log: "/dev/null", withinSeconds: Self.stopSeconds)
    try? cluster.drop(Self.database)
  }

  /// Ends all programs.
  func stop() {
    for gateway in gateways { gateway.end(with: SIGKILL, withinSeconds: Self.stopSeconds) }
    gateways = []
    wharfd?.end(with: SIGTERM, withinSeconds: Self.stopSeconds)
    wharfd = nil
  }

  // MARK: wharfd

  /// Starts a wharfd, and waits until it answers at a position.
  ///
  /// - Returns: how long that took.
  @discardableResult
  func startWharfd(atLeast position: Position) throws -> Duration {
    port = try Self.freePort()
    let log = "\(folder)/wharfd.log"
    let began = ContinuousClock.now
    let child = try ChildProcess.start(
      [
        "\(programs)/wharfd", "run", "--listen", "127.0.0.1:\(port)", "--secret-file",
        "\(folder)/secret", "--admin-token-file", "\(folder)/admin",
      ], in: folder, log: log,
      environment: ["WHARF_DATABASE_URL": try cluster.url(Self.database)])
    wharfd = child
    while true {
      if let head = HTTPProbe.head(port: port), head >= position.value { break }
      guard ContinuousClock.now < began + .seconds(Self.readySeconds), child.poll() == nil else {
        throw BenchFailure("wharfd was not ready: \(TextFile.tail(log))")
      }
      usleep(5_000)
    }
    return ContinuousClock.now - began
  }

  func stopWharfd() {
    wharfd?.end(with: SIGTERM, withinSeconds: Self.stopSeconds)
    wharfd = nil
  }

  /// The token of the first admin.
  var admin: String {
    get throws {
      guard let text = Files.text("\(folder)/admin") else {
        throw BenchFailure("wharfd wrote no token for the first admin")
      }
      return text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    }
  }

  var client: ScaleClient {
    get throws { ScaleClient(port: port, admin: try admin) }
  }

  /// What it has used of processors since it began, and what it holds of memory.
  func wharfdCost() throws -> (seconds: Double, megabytes: Double) {
    guard let child = wharfd, let cost = child.cost else {
      throw BenchFailure("wharfd's cost cannot be read from /proc")
    }
    return cost
  }

  // MARK: Gateways

  struct Gateway {
    let child: ChildProcess
    let port: UInt16
    let serving: Duration
  }

  /// Starts a gateway with nothing of an earlier one, and waits until it lets a team in.
  ///
  /// - Parameter number: which of the world's it is.
  func startGateway(_ number: Int) throws -> Gateway {
    let name = "gateway-\(number)"
    for file in [name, "\(name).seen", "\(name).seen.process"] { unlink("\(folder)/\(file)") }
    try TextFile.write(ScaleWorld.gateway(number).text + "\n", to: "\(folder)/\(name)")
    chmod("\(folder)/\(name)", 0o600)
    let port = try Self.freePort()
    let log = "\(folder)/\(name).log"
    let began = ContinuousClock.now
    let child = try ChildProcess.start(
      [
        "\(programs)/wharf-gateway", "run", "--server", "http://127.0.0.1:\(self.port)", "--listen",
        "127.0.0.1:\(port)", "--credential-file", "\(folder)/\(name)",
      ], in: folder, log: log)
    gateways.append(child)
    let request =
      "GET /v1/models HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer \(ScaleWorld.key(0, 0).text)"
      + "\r\nConnection: close\r\n\r\n"
    while true {
      let reply = Loopback.withSocket { $0.connect(to: port) ? $0.ask(request) : nil } ?? nil
      if reply?.hasPrefix("HTTP/1.1 200") == true { break }
      guard ContinuousClock.now < began + .seconds(Self.readySeconds), child.poll() == nil else {
        throw BenchFailure("\(name) did not serve: \(TextFile.tail(log))")
      }
      usleep(20_000)
    }
    return Gateway(child: child, port: port, serving: ContinuousClock.now - began)
  }

  func stop(_ gateway: Gateway) {
    gateway.child.end(with: SIGTERM, withinSeconds: Self.stopSeconds)
    gateways.removeAll { $0.pid == gateway.child.pid }
  }

  private static func freePort() throws -> UInt16 {
    guard let port = Loopback.withSocket({ $0.bindToAnyPort() }) ?? nil else {
      throw BenchFailure("no port of the loopback interface is free")
    }
    return port
  }
}

/// Asks the wharfd of a run.
struct ScaleClient: Sendable {
  private static let answerSeconds: Int64 = 120
  private static let replyLimitBytes = 1 << 30

  let port: UInt16
  /// The token of the first admin.
  let admin: String

  struct Reply {
    let status: UInt
    let body: [UInt8]
    let elapsed: Duration
  }

  func get(_ path: String, token: String? = nil) async throws -> Reply {
    try await ask(path, nil, token)
  }

  /// Sends a command as the admin, or as another; what is refused is a fault.
  @discardableResult
  func send(_ command: any Command, token: String? = nil) async throws -> Position {
    let call = CommandCall(id: Workload.commandID(), command)
    let reply = try await ask("/v1/commands", call.jsonBytes, token)
    guard reply.status == 200 else {
      throw BenchFailure(
        "\(call.command) was answered with \(reply.status): "
          + String(decoding: reply.body.prefix(300), as: UTF8.self))
    }
    let fields = try JSONValue(document: reply.body).fields()
    guard let position = fields.first(where: { $0.key == "position" })?.value else {
      throw BenchFailure("\(call.command) was answered without a position")
    }
    return Position(try position.integer())
  }

  /// - Parameter body: is posted; none: it is only read.
  private func ask(
    _ path: String, _ body: [UInt8]?, _ token: String?
  ) async throws -> Reply {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
    request.method = body == nil ? .GET : .POST
    request.headers.add(name: "authorization", value: "Bearer \(token ?? admin)")
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let began = ContinuousClock.now
    let answer = try await HTTPClient.shared.execute(
      request, timeout: .seconds(Self.answerSeconds))
    let bytes = Array(buffer: try await answer.body.collect(upTo: Self.replyLimitBytes))
    return Reply(
      status: answer.status.code, body: bytes, elapsed: ContinuousClock.now - began)
  }
}

/// Many connections that each wait for one answer, at the cost of a descriptor each.
final class LongPolls {
  private var descriptors: [Int32] = []

  /// Opens a connection and sends a request that is to be held.
  func open(_ port: UInt16, _ request: String) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    let bytes = Array(request.utf8)
    guard isConnected,
      Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    else {
      close(descriptor)
      return false
    }
    descriptors.append(descriptor)
    return true
  }

  var count: Int { descriptors.count }

  /// How many were answered, or cut.
  var answered: Int {
    var looks = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    _ = poll(&looks, nfds_t(looks.count), 0)
    return looks.count { $0.revents != 0 }
  }

  func closeAll() {
    for descriptor in descriptors { close(descriptor) }
    descriptors = []
  }
}
