// Stream sockets on this machine, for tests that stand between two programs or play one of them.

import Glibc

package enum StreamSocket {
  package enum Place: CustomStringConvertible {
    case path(String)
    /// Of the loopback address; 0 takes a free one.
    case port(UInt16)

    package var description: String {
      switch self {
      case .path(let path): path
      case .port(let port): "port \(port)"
      }
    }
  }

  package typealias Use = (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32

  /// A socket that `use` binds or connects.
  ///
  /// - Parameter prepare: sets options before that.
  package static func open(
    _ place: Place, prepare: (Int32) -> Void = { _ in }, _ use: Use
  ) throws -> Int32 {
    switch place {
    case .path(let path):
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
      return try open(place, AF_UNIX, address, prepare, use)
    case .port(let port):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      return try open(place, AF_INET, address, prepare, use)
    }
  }

  private static func open<Address>(
    _ place: Place, _ family: Int32, _ address: Address, _ prepare: (Int32) -> Void, _ use: Use
  ) throws -> Int32 {
    let descriptor = socket(
      family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    if descriptor >= 0 { prepare(descriptor) }
    let size = socklen_t(MemoryLayout<Address>.size)
    let result = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { use(descriptor, $0, size) }
    }
    guard descriptor >= 0, result == 0 else {
      let reason = String(cString: strerror(errno))
      close(descriptor)
      throw TestFailure("no socket at \(place): \(reason)")
    }
    return descriptor
  }

  /// - Returns: whether all of it was taken; a peer that is gone is no signal.
  package static func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
