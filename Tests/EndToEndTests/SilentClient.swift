// A client that does by itself what it likes, and no more: it reads nothing unless it is told to.

import Glibc
import TestKit

final class SilentClient: Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = try StreamSocket.open(
      .port(UInt16(port)),
      prepare: { descriptor in
        var small: Int32 = 4_096
        setsockopt(
          descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
      }, { connect($0, $1, $2) })
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
