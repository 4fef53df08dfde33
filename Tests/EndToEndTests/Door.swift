// A door before a real wharfd that passes on what it is told in another way: a server that is wrong in one
// thing, and right in all others; or a proxy that meddles for a while. One thread a connection.

import Foundation
import Glibc
import Synchronization
import TestKit

final class Door: Sendable {
  /// What it writes instead of something, in requests and in replies.
  struct Rewriting: Sendable {
    var requests: [(old: String, new: String)] = []
    var replies: [(old: String, new: String)] = []
  }

  private static let bufferBytes = 1 << 16
  private static let lookMilliseconds: Int32 = 20

  let url: String
  private let port: UInt16
  private let listener: Int32
  /// What it does with what passes through.
  enum Meddling: Sendable {
    case rewrites(Rewriting)
    /// Keeps back whatever is replied, for as long as it is told to.
    case keepsReplies
  }

  /// What it does when it is told to do nothing else.
  private let usual: Meddling
  private let meddling: Mutex<Meddling>
  private let isClosed = Mutex(false)

  /// - Parameter url: where the wharfd listens, on this machine.
  init(to url: String, _ rewriting: Rewriting) throws {
    guard let port = URL(string: url)?.port.flatMap({ UInt16(exactly: $0) }) else {
      throw TestFailure("\(url) has no port")
    }
    self.port = port
    usual = .rewrites(rewriting)
    meddling = Mutex(usual)
    var own: UInt16 = 0
    listener = try StreamSocket.open(.port(0)) { descriptor, address, length in
      var length = length
      guard bind(descriptor, address, length) == 0, listen(descriptor, 16) == 0 else { return -1 }
      var bound = sockaddr_in()
      let result = withUnsafeMutablePointer(to: &bound) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          getsockname(descriptor, $0, &length)
        }
      }
      own = UInt16(bigEndian: bound.sin_port)
      return result
    }
    self.url = "http://127.0.0.1:\(own)"
    Thread.detachNewThread { [self] in accept() }
  }

  /// - Parameter way: none: as it was made.
  func meddle(_ way: Meddling?) { meddling.withLock { $0 = way ?? usual } }

  func close() {
    isClosed.withLock { $0 = true }
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0, !isClosed.withLock({ $0 }) else { break }
      guard let onward = try? StreamSocket.open(.port(port), { connect($0, $1, $2) }) else {
        Glibc.close(client)
        continue
      }
      Thread.detachNewThread { [self] in
        pass(client, onward)
        Glibc.close(client)
        Glibc.close(onward)
      }
    }
    Glibc.close(listener)
  }

  private func pass(_ client: Int32, _ server: Int32) {
    var ends = [
      pollfd(fd: client, events: Int16(POLLIN), revents: 0),
      pollfd(fd: server, events: Int16(POLLIN), revents: 0),
    ]
    var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
    while !isClosed.withLock({ $0 }) {
      guard poll(&ends, 2, Self.lookMilliseconds) >= 0 else { return }
      for end in 0...1 where ends[end].revents != 0 {
        let count = read(ends[end].fd, &buffer, buffer.count)
        guard count > 0 else { return }
        let isRequest = end == 0
        switch meddling.withLock({ $0 }) {
        case .rewrites(let rewriting):
          let changes = isRequest ? rewriting.requests : rewriting.replies
          let changed = Self.rewrite(buffer[..<count], changes)
          guard StreamSocket.send(changed[...], to: ends[1 - end].fd) else { return }
        case .keepsReplies:
          if isRequest {
            guard StreamSocket.send(buffer[..<count], to: server) else { return }
          } else {
            while isKeeping { usleep(UInt32(Self.lookMilliseconds) * 1_000) }
            guard StreamSocket.send(buffer[..<count], to: client) else { return }
          }
        }
      }
    }
  }

  private var isKeeping: Bool {
    guard !isClosed.withLock({ $0 }) else { return false }
    return meddling.withLock { if case .keepsReplies = $0 { true } else { false } }
  }

  /// Heads are short, and come in one piece.
  private static func rewrite(
    _ bytes: ArraySlice<UInt8>, _ changes: [(old: String, new: String)]
  ) -> [UInt8] {
    guard !changes.isEmpty, var text = String(validating: bytes, as: UTF8.self) else {
      return Array(bytes)
    }
    for change in changes { text = text.replacing(change.old, with: change.new) }
    return Array(text.utf8)
  }
}
