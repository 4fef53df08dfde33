// Whether a port can be had, and who has it where it cannot: by trying to have it, since nothing else knows.

import Glibc

package enum Port {
  /// - Parameter address: an IP address of this machine, or a name that stands for one.
  /// - Returns: why a server of ours could not listen there; nil when it could.
  package static func obstacle(_ port: Int, at address: String) -> Int32? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &found) == 0, let place = found else {
      return EADDRNOTAVAIL
    }
    defer { freeaddrinfo(found) }
    let socket = Glibc.socket(
      place.pointee.ai_family, place.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return errno }
    defer { close(socket) }
    // As servers do: connections of before that linger are no one's claim.
    var yes: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    let isHad =
      bind(socket, place.pointee.ai_addr, place.pointee.ai_addrlen) == 0 && listen(socket, 1) == 0
    return isHad ? nil : errno
  }

  /// - Returns: whether a server of ours could listen there; nil where that cannot be found out.
  package static func isFree(_ port: Int, at address: String) -> Bool? {
    switch obstacle(port, at: address) {
    case nil: true
    case EADDRINUSE, EACCES: false
    case _: nil
    }
  }

  /// Processes that listen on a port, as far as we may look at them.
  package static func holders(of port: Int) -> Set<pid_t> {
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
