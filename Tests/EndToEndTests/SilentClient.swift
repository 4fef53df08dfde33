// A client that does by itself what it likes, and no more: it reads nothing unless it is told to.

import Glibc
import TestKit

final class SilentClient: Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var small: Int32 = 4_096
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 else { throw TestFailure("connect to port \(port): errno \(errno)") }
  }

  func send(_ text: String) throws {
    let count = write(descriptor, text, text.utf8.count)
    guard count == text.utf8.count else { throw TestFailure("send: errno \(errno)") }
  }

  var hasSomething: Bool {
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    return poll(&descriptors, 1, 0) > 0
  }

  /// Reads what is there, and throws it away.
  func drain() {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while hasSomething, read(descriptor, &bytes, bytes.count) > 0 {}
  }

  deinit { close(descriptor) }
}
