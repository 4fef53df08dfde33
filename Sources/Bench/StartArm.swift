// A real wharfd on the long log, which has snapshots: how long until it answers at the head, and how
// much memory it holds by then.

import EventLog
import Glibc
import Hosting
import Postgres

struct StartArm: Arm {
  private static let readyTimeoutSeconds = 300
  private static let stopTimeoutSeconds = 30

  let name = "start"
  let databases: Databases
  let events: Int
  let wharfd: String

  func run() async throws -> Sample {
    let (databases, wharfd) = (databases, wharfd)
    let least = databases.baseCount + Int64(events)
    return try await onThread(name) {
      let folder = try Self.makeFolder()
      defer {
        _ = try? ChildProcess.run(
          ["rm", "-rf", folder], in: "/", log: "/dev/null", withinSeconds: 30)
      }
      // The first start reads the whole log, and leaves the snapshots that the next one begins with.
      try Self.forgetSnapshots(databases)
      // The log belongs to the secret that it was made with.
      try TextFile.write(Member.secretText, to: "\(folder)/secret")
      chmod("\(folder)/secret", 0o600)
      let whole = try Self.start(databases, wharfd, in: folder, least: least, untilSnapshot: true)
      let next = try Self.start(databases, wharfd, in: folder, least: least, untilSnapshot: false)
      return Sample(
        events: Int(least), seconds: next.elapsed.inSeconds,
        latencies: [next.elapsed.inNanoseconds],
        extras: [
          "megabytes": next.megabytes, "s without snapshot": whole.elapsed.inSeconds,
        ])
    }
  }

  private struct Started {
    let elapsed: Duration
    let megabytes: Double
  }

  /// Starts wharfd, waits until it is ready at the head, and stops it.
  private static func start(
    _ databases: Databases, _ wharfd: String, in folder: String, least: Int64, untilSnapshot: Bool
  ) throws -> Started {
    let port = try freePort()
    let log = "\(folder)/log"
    let start = ContinuousClock.now
    let child = try ChildProcess.start(
      [
        wharfd, "run", "--listen", "127.0.0.1:\(port)", "--secret-file", "\(folder)/secret",
        "--admin-token-file", "\(folder)/token",
      ], in: folder, log: log,
      environment: ["WHARF_DATABASE_URL": try databases.cluster.url(Databases.long)])
    defer { child.end(with: SIGTERM, withinSeconds: stopTimeoutSeconds) }
    let deadline = start + .seconds(readyTimeoutSeconds)
    while true {
      if let head = HTTPProbe.head(port: port), head >= least { break }
      guard ContinuousClock.now < deadline, child.poll() == nil else {
        throw BenchFailure("wharfd was not ready: \(TextFile.tail(log))")
      }
      usleep(5_000)
    }
    let elapsed = ContinuousClock.now - start
    guard let megabytes = child.peakMegabytes else {
      throw BenchFailure("wharfd's memory cannot be read from /proc")
    }
    if untilSnapshot { try waitForSnapshot(databases, least: least, until: deadline) }
    return Started(elapsed: elapsed, megabytes: megabytes)
  }

  /// So that the first start has none.
  private static func forgetSnapshots(_ databases: Databases) throws {
    var connection = try Connection(databases.cluster.configuration(Databases.long))
    try connection.script("TRUNCATE log.snapshots CASCADE")
  }

  /// The last whole interval before the head is due, or none where the log is shorter than one.
  private static func waitForSnapshot(
    _ databases: Databases, least: Int64, until deadline: ContinuousClock.Instant
  ) throws {
    let interval = Int64(SnapshotLimits().intervalEvents)
    var connection = try Connection(databases.cluster.configuration(Databases.long))
    while least >= interval {
      let rows = try connection.query(
        "SELECT coalesce(max(position), 0)::int8 FROM log.snapshots")
      if try rows[0].decode(Int64.self, at: 0) > least - interval { return }
      guard ContinuousClock.now < deadline else {
        throw BenchFailure("wharfd wrote no snapshot of its last \(interval) events")
      }
      usleep(5_000)
    }
  }

  private static func makeFolder() throws -> String {
    var template = Array("/tmp/wharf-bench-start-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw BenchFailure("cannot make a folder in /tmp: \(String(cString: strerror(errno)))")
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func freePort() throws -> UInt16 {
    guard let port = Loopback.withSocket({ $0.bindToAnyPort() }) ?? nil else {
      throw BenchFailure("no port of the loopback interface is free")
    }
    return port
  }
}

/// Asks a wharfd's `/health`, which names the head in a header.
enum HTTPProbe {
  static func head(port: UInt16) -> Int64? {
    let reply = Loopback.withSocket { socket -> String? in
      guard socket.connect(to: port) else { return nil }
      return socket.ask("GET /health HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
    }
    guard let reply = reply ?? nil, reply.hasPrefix("HTTP/1.1 200") else { return nil }
    for line in reply.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].lowercased() == "wharf-head" {
        // Its era, its position, its hash.
        let head = parts[1].split(separator: "/")
        return head.count == 3 ? Int64(head[1]) : nil
      }
    }
    return nil
  }
}

/// A TCP socket of 127.0.0.1, with a limit on every wait.
struct Loopback {
  private static let waitSeconds = 2
  private static let longestReplyBytes = 65_536

  private static let endOfHead = Array("\r\n\r\n".utf8)

  private let descriptor: Int32

  static func withSocket<Result>(_ body: (Loopback) -> Result) -> Result? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var limit = timeval(tv_sec: waitSeconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    return body(Loopback(descriptor: descriptor))
  }

  private func withAddress<Result>(
    _ port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
  ) -> (Result, UInt16) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return (result, UInt16(bigEndian: address.sin_port))
  }

  func bindToAnyPort() -> UInt16? {
    let (bound, port) = withAddress(0) { address, size in
      var size = size
      return bind(descriptor, address, size) == 0 && getsockname(descriptor, address, &size) == 0
    }
    return bound ? port : nil
  }

  func connect(to port: UInt16) -> Bool {
    withAddress(port) { Glibc.connect(descriptor, $0, $1) == 0 }.0
  }

  /// Sends a request and reads the head of the reply.
  func ask(_ request: String) -> String? {
    let bytes = Array(request.utf8)
    guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      return nil
    }
    var reply: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while reply.count < Self.longestReplyBytes {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { break }
      reply.append(contentsOf: buffer[..<count])
      if reply.contains(Self.endOfHead) { break }
    }
    return String(decoding: reply, as: UTF8.self)
  }
}
