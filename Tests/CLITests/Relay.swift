// Stands between `wharf` and its API, and counts what is asked.

import Foundation
import Glibc
import Synchronization
import TestKit

/// Passes bytes on, both ways. One thread a direction of a connection, until it ends.
final class Relay: Sendable {
  let port: UInt16
  private let onward: UInt16
  private let listener: Int32
  /// The first line of each request that passed.
  private let lines = Mutex<[String]>([])

  var requests: Int { lines.withLock { $0.count } }

  /// How many asked for a path.
  func requests(of path: String) -> Int {
    lines.withLock { $0.count { $0.hasSuffix(" \(path)") } }
  }

  init(to onward: UInt16) throws {
    self.onward = onward
    port = try Programs.freePort()
    listener = try StreamSocket.open(.port(port)) { bind($0, $1, $2) }
    guard listen(listener, 16) == 0 else { throw TestFailure("cannot listen at \(port)") }
    Thread.detachNewThread { [listener, onward, self] in
      while case let client = Glibc.accept(listener, nil, nil), client >= 0 {
        guard let server = try? StreamSocket.open(.port(onward), { connect($0, $1, $2) }) else {
          Glibc.close(client)
          continue
        }
        Thread.detachNewThread { self.pass(from: client, to: server, counts: true) }
        Thread.detachNewThread { self.pass(from: server, to: client, counts: false) }
      }
    }
  }

  /// No connection comes in after it.
  func close() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func pass(from: Int32, to: Int32, counts: Bool) {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let length = recv(from, &buffer, buffer.count, 0), length > 0 {
      if counts {
        let text = String(decoding: buffer[..<length], as: UTF8.self)
        let begun = text.split(separator: "\r\n").filter { $0.hasSuffix(" HTTP/1.1") }
        lines.withLock { $0 += begun.map { String($0.dropLast(" HTTP/1.1".count)) } }
      }
      guard StreamSocket.send(buffer[..<length], to: to) else { break }
    }
    shutdown(to, Int32(SHUT_RDWR))
    shutdown(from, Int32(SHUT_RDWR))
  }
}
