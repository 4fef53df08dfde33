// Whether a port is free, and who has it when it is not.

import Glibc
import Machine

enum Ports {
  static let address = "127.0.0.1"

  /// - Parameters:
  ///   - port: a TCP port of the loopback address.
  ///   - flag: with what another one is chosen.
  ///   - ours: processes that may have it.
  static func requireFree(
    _ port: Int, for use: String, flag: String, ours: Set<pid_t>
  ) throws(UpFailure) {
    guard let code = obstacle(port) else { return }
    guard code == EADDRINUSE else {
      throw UpFailure(
        "cannot listen on \(address):\(port) for the \(use): \(Files.reason(code))",
        help: "choose another port: \(flag) PORT")
    }
    let holders = holders(port)
    if !holders.isEmpty && holders.isSubset(of: ours) { return }
    let who = holders.sorted().map {
      "\(ProcessTable.status(of: $0)?.name ?? "process") (pid \($0))"
    }
    throw UpFailure(
      "cannot listen on \(address):\(port) for the \(use): the port is in use"
        + (who.isEmpty ? "" : " by \(who.joined(separator: ", "))"),
      help: "stop that program, or choose another port: \(flag) PORT")
  }

  /// Why we could not listen; none when we could.
  private static func obstacle(_ port: Int) -> Int32? {
    let socket = Glibc.socket(
      AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return errno }
    defer { close(socket) }
    // As servers do: connections of before that linger are no one's claim.
    var yes: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = in_port_t(port).bigEndian
    place.sin_addr.s_addr = inet_addr(address)
    let bound = withUnsafePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return bound == 0 && listen(socket, 1) == 0 ? nil : errno
  }

  /// Processes that listen on a port, as far as we may look at them.
  private static func holders(_ port: Int) -> Set<pid_t> {
    let sockets = Set(
      ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listening($0, port) }.map { "socket:[\($0)]" })
    guard !sockets.isEmpty else { return [] }
    return Set(
      ProcessTable.pids.filter { pid in
        ProcessTable.openFiles(of: pid).contains(where: sockets.contains)
      })
  }

  /// The inodes of sockets that listen on a port: `sl local_address rem_address st … inode`.
  private static func listening(_ table: String, _ port: Int) -> [Substring] {
    let listen = "0A"
    return (Files.text(table) ?? "").split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 9, fields[3] == listen,
        let colon = fields[1].lastIndex(of: ":"),
        Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port
      else { return nil }
      return fields[9]
    }
  }
}
