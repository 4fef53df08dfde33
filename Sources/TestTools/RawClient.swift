// A client that writes and reads bytes as a test says: half a request, no end, one letter at a time.

import Glibc
import Synchronization

package final class RawClient: Sendable {
  private struct State {
    var received: [UInt8] = []
    var hasEnded = false
    var isReset = false
  }

  private let descriptor: Int32
  private let state = Mutex(State())
  private let isClosed = Mutex(false)

  package init(port: Int) throws {
    descriptor = try StreamSocket.open(.port(UInt16(port))) { Glibc.connect($0, $1, $2) }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { close() }

  /// Writes the text; with lines ended as HTTP ends them.
  ///
  /// - Returns: whether all of it was taken.
  @discardableResult
  package func send(_ text: String) -> Bool {
    StreamSocket.send(
      Array(text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n").utf8)[...],
      to: descriptor)
  }

  /// Writes as much as the connection takes now.
  ///
  /// - Returns: what is left.
  package func sendWhatFits(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let count = bytes.withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
    return bytes.dropFirst(max(count, 0))
  }

  /// Sends no more, and reads on.
  package func shutSendingHalf() { shutdown(descriptor, Int32(SHUT_WR)) }

  package func close() {
    isClosed.withLock { isClosed in
      if !isClosed { Glibc.close(descriptor) }
      isClosed = true
    }
  }

  /// What has come so far.
  package var received: String {
    state.withLock { state in
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while !state.hasEnded {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count > 0 {
          state.received += buffer[..<count]
          continue
        }
        if count < 0, errno == EAGAIN { break }
        state.hasEnded = true
        state.isReset = count < 0
      }
      return String(decoding: state.received, as: UTF8.self)
    }
  }

  /// Whether the other side has ended the connection.
  package var hasEnded: Bool {
    _ = received
    return state.withLock { $0.hasEnded }
  }

  /// Whether it was ended by a reset, which may cost what was under way.
  package var isReset: Bool {
    _ = received
    return state.withLock { $0.isReset }
  }

  /// All that came, once it holds `text`.
  package func received(with text: String) async throws -> String {
    try await eventually("'\(text)' is received") { received.contains(text) }
    return received
  }

  /// All that came before the end.
  package func whole() async throws -> String {
    try await eventually("the connection ends") { hasEnded }
    return received
  }
}
