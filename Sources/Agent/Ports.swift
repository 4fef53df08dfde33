// Whether somebody has a port: by trying to have it.

import Glibc

enum Ports {
  /// - Parameter address: an IP address of this machine, or a name that stands for one.
  /// - Returns: whether an engine of ours could have it; none where that cannot be found out.
  static func isFree(_ port: Int, at address: String) -> Bool? {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_PASSIVE
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(address, String(port), &hints, &found) == 0, let place = found else {
      return nil
    }
    defer { freeaddrinfo(found) }
    let socket = Glibc.socket(
      place.pointee.ai_family, place.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard socket >= 0 else { return nil }
    defer { close(socket) }
    // As engines do: a connection that lingers from the engine before is no one's claim.
    var yes: Int32 = 1
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard bind(socket, place.pointee.ai_addr, place.pointee.ai_addrlen) == 0 else {
      return errno == EADDRINUSE || errno == EACCES ? false : nil
    }
    return listen(socket, 1) == 0
  }
}
