// A socket between a program and its PostgreSQL, for faults that happen on the way: the answer to a
// commit lost after the server stored it, a request lost before, a connection cut at any byte.

import Foundation
import Glibc
import Synchronization
import TestTools

/// Listens on a socket of its own and passes bytes on, both ways. One thread a connection.
package final class PostgresProxy: Sendable {
  private enum Direction { case toServer, toClient }

  private enum Trap {
    /// Passes the request that holds the text on, waits for the server's answer, and swallows it.
    case answer(to: [UInt8], thenCuts: Bool)
    /// Cuts before the request that holds the text is passed on.
    case request([UInt8])
    /// Cuts everything after so many more bytes, either way.
    case bytes(Int)
    /// Cuts all connections.
    case now
  }

  private struct State {
    var trap: Trap?
    /// How often connections were cut.
    var cuts = 0
    /// How many answers came and were kept back.
    var kept = 0
    var isClosed = false
    /// Nothing is passed on, and nobody is told.
    var isFrozen = false
    /// Raised to cut every connection that was made before.
    var generation = 0
  }

  private static let bufferBytes = 65_536
  private static let lookMilliseconds: Int32 = 20

  private let server: String
  private let folder: String
  private let listener: Int32
  private let state = Mutex(State())

  /// - Parameter server: the folder of the server's socket.
  package init(server: String) throws {
    self.server = "\(server)/.s.PGSQL.5432"
    var template = Array("/tmp/wharf-proxy-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestFailure("cannot make a folder in /tmp") }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    listener = try StreamSocket.open(.path("\(folder)/.s.PGSQL.5432")) { bind($0, $1, $2) }
    guard listen(listener, 64) == 0 else { throw TestFailure("cannot listen") }
    Thread.detachNewThread { [self] in accept() }
  }

  package func url(database: String) -> String {
    "postgres:///\(database)?host=\(folder)&user=postgres"
  }

  package var cuts: Int { state.withLock { $0.cuts } }
  package var kept: Int { state.withLock { $0.kept } }

  /// The server stores what is in the next request that holds `text`; nobody hears of it.
  package func loseAnswer(toRequestWith text: String) {
    set(.answer(to: Array(text.utf8), thenCuts: true))
  }
  /// The same, and the connection stays open: whoever asked waits.
  package func keepAnswer(toRequestWith text: String) {
    set(.answer(to: Array(text.utf8), thenCuts: false))
  }
  /// The next request that holds `text` never gets to the server.
  package func loseRequest(with text: String) { set(.request(Array(text.utf8))) }
  /// All connections are cut once so many more bytes went through, either way.
  package func cut(afterBytes count: Int) { set(.bytes(count)) }
  package func cut() { set(.now) }

  /// Passes nothing on from now on, neither bytes nor ends, as a network does that drops all: who is on
  /// either side does not know.
  package func freeze() { state.withLock { $0.isFrozen = true } }
  /// Cuts what was frozen, and passes on anew.
  package func thaw() {
    state.withLock { state in
      state.isFrozen = false
      Self.spring(&state)
    }
  }

  private func set(_ trap: Trap) {
    state.withLock { state in
      state.trap = trap
      if case .now = trap { Self.spring(&state) }
    }
  }

  package func close() {
    state.withLock { state in
      state.isClosed = true
      state.generation += 1
    }
    shutdown(listener, Int32(SHUT_RDWR))
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func spring(_ state: inout State) {
    state.trap = nil
    state.cuts += 1
    state.generation += 1
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      guard client >= 0, !state.withLock({ $0.isClosed }) else { break }
      guard let onward = try? StreamSocket.open(.path(server), { connect($0, $1, $2) }) else {
        Glibc.close(client)
        continue
      }
      let generation = state.withLock { $0.generation }
      Thread.detachNewThread { [self] in
        pass(client, onward, generation)
        Glibc.close(client)
        Glibc.close(onward)
      }
    }
    Glibc.close(listener)
  }

  private func pass(_ client: Int32, _ server: Int32, _ generation: Int) {
    var ends = [
      pollfd(fd: client, events: Int16(POLLIN), revents: 0),
      pollfd(fd: server, events: Int16(POLLIN), revents: 0),
    ]
    var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
    var swallows: Swallowing?
    while true {
      let (current, isFrozen) = state.withLock { ($0.generation, $0.isFrozen) }
      guard current == generation else { return }
      guard !isFrozen else {
        usleep(UInt32(Self.lookMilliseconds) * 1_000)
        continue
      }
      guard poll(&ends, 2, Self.lookMilliseconds) >= 0 else { return }
      for (end, direction) in [(0, Direction.toServer), (1, .toClient)] where ends[end].revents != 0
      {
        let count = read(ends[end].fd, &buffer, buffer.count)
        guard count > 0 else { return }
        // The server answers once it has committed: now the answer is lost.
        if direction == .toClient, let swallows {
          state.withLock { state in
            state.kept += 1
            if swallows == .cut { Self.spring(&state) }
          }
          if swallows == .cut { return }
          continue
        }
        switch judge(buffer[..<count], direction) {
        case .pass(let some):
          guard StreamSocket.send(buffer[..<some], to: ends[1 - end].fd), some == count else {
            return
          }
        case .passAndSwallow(let how):
          swallows = how
          guard StreamSocket.send(buffer[..<count], to: server) else { return }
        case .cut: return
        }
      }
    }
  }

  /// What becomes of a connection when the answer that nobody is to hear came.
  private enum Swallowing { case cut, stay }

  private enum Verdict {
    case pass(Int), passAndSwallow(Swallowing), cut
  }

  private func judge(_ bytes: ArraySlice<UInt8>, _ direction: Direction) -> Verdict {
    state.withLock { state in
      switch state.trap {
      case nil, .now: return .pass(bytes.count)
      case .answer(let text, let thenCuts):
        guard direction == .toServer, bytes.holds(text) else { return .pass(bytes.count) }
        state.trap = nil
        return .passAndSwallow(thenCuts ? .cut : .stay)
      case .request(let text):
        guard direction == .toServer, bytes.holds(text) else { return .pass(bytes.count) }
        Self.spring(&state)
        return .cut
      case .bytes(let left):
        guard bytes.count >= left else {
          state.trap = .bytes(left - bytes.count)
          return .pass(bytes.count)
        }
        Self.spring(&state)
        return .pass(left)
      }
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate func holds(_ text: [UInt8]) -> Bool {
    guard count >= text.count else { return false }
    return (startIndex...(endIndex - text.count)).contains { self[$0...].starts(with: text) }
  }
}
