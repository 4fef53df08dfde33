// Answers every request with the head of a 200 and the start of a body, and then never again.

import Foundation
import Glibc
import Synchronization

final class StallingServer: Sendable {
  let url: String
  private let listener: Int32
  private let accepted = Mutex<[Int32]>([])

  init() {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        precondition(bind(listener, $0, length) == 0, "a stalling server gets no port")
        _ = getsockname(listener, $0, &length)
      }
    }
    precondition(Glibc.listen(listener, 8) == 0)
    self.listener = listener
    url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
    Thread.detachNewThread { [self] in
      while serveOne() {}
    }
  }

  private func serveOne() -> Bool {
    let connection = accept(listener, nil, nil)
    guard connection >= 0 else { return false }
    var request = [UInt8](repeating: 0, count: 8192)
    _ = recv(connection, &request, request.count, 0)
    let start = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    _ = send(connection, start, start.utf8.count, Int32(MSG_NOSIGNAL))
    accepted.withLock { $0.append(connection) }
    return true
  }

  /// Requests that it has begun to answer.
  var count: Int { accepted.withLock { $0.count } }

  func stop() {
    // Wakes who accepts; its thread ends.
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    for connection in accepted.withLock({ $0 }) { close(connection) }
  }
}
