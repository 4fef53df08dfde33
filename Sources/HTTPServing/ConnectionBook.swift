// The connections of a server: whose caller is known, and who waits to hear that its client is gone.
// When they are nearly all taken, strangers make way, the oldest first, so that there is room for those
// who have a right to be served. A caller is known once it has shown a good token on its connection.

import NIOCore
import Synchronization

package final class ServerConnection: Sendable {
  private struct State {
    var isGone = false
    var whenGone: (@Sendable () -> Void)?
  }
  private let state = Mutex(State())
  fileprivate let number: UInt64
  private let book: ConnectionBook
  private let channel: any Channel

  fileprivate init(_ channel: any Channel, number: UInt64, book: ConnectionBook) {
    self.channel = channel
    self.number = number
    self.book = book
  }

  /// What is done when the client is gone: at once, where it is already. None for nothing.
  package func whenGone(_ action: (@Sendable () -> Void)?) {
    let isGone = state.withLock { state in
      state.whenGone = action
      return state.isGone
    }
    if isGone { action?() }
  }

  /// Its caller showed a good token, or one that is not good.
  package func isKnown(_ isKnown: Bool) { book.mark(number, ObjectIdentifier(channel), isKnown) }

  func leave() {
    let action = state.withLock { state in
      state.isGone = true
      defer { state.whenGone = nil }
      return state.whenGone
    }
    book.close(number, ObjectIdentifier(channel))
    action?()
  }

  fileprivate func makeWay() { channel.close(promise: nil) }
}

package final class ConnectionBook: Sendable {
  private struct State {
    var all: [ObjectIdentifier: ServerConnection] = [:]
    var strangers = Strangers()
    /// Strangers that were told to make way, and have not left yet.
    var leaving: Set<UInt64> = []
    var next: UInt64 = 0
  }

  private let state = Mutex(State())
  /// With more connections than these, strangers make way.
  private let roomForStrangers: Int

  package init(_ limits: ServingLimits) {
    roomForStrangers = max(
      1, limits.connections - min(limits.connectionsForKnown, limits.connections / 2))
  }

  package subscript(channel: any Channel) -> ServerConnection? {
    state.withLock { $0.all[ObjectIdentifier(channel)] }
  }

  package var count: Int { state.withLock { $0.all.count } }

  func open(_ channel: any Channel) -> ServerConnection {
    let (connection, oldest) = state.withLock { state in
      let connection = ServerConnection(channel, number: state.next, book: self)
      state.next += 1
      state.all[ObjectIdentifier(channel)] = connection
      state.strangers.insert(connection, connection.number)
      let oldest =
        state.all.count - state.leaving.count > roomForStrangers
        ? state.strangers.removeOldest(but: connection) : nil
      if let oldest { state.leaving.insert(oldest.number) }
      return (connection, oldest)
    }
    oldest?.makeWay()
    return connection
  }

  fileprivate func mark(_ number: UInt64, _ id: ObjectIdentifier, _ isKnown: Bool) {
    state.withLock { state in
      guard let connection = state.all[id], !state.leaving.contains(number) else { return }
      if isKnown {
        state.strangers.remove(number)
      } else {
        state.strangers.insert(connection, number)
      }
    }
  }

  fileprivate func close(_ number: UInt64, _ id: ObjectIdentifier) {
    state.withLock { state in
      state.all[id] = nil
      state.strangers.remove(number)
      state.leaving.remove(number)
    }
  }
}

/// By number, which is the order of their coming. The line is longer than the strangers are: those who
/// left it are passed over, and cleared away once they are the most of it.
private struct Strangers {
  private var members: [UInt64: ServerConnection] = [:]
  private var line: [UInt64] = []
  private var first = 0

  mutating func insert(_ connection: ServerConnection, _ number: UInt64) {
    guard members.updateValue(connection, forKey: number) == nil else { return }
    line.append(number)
    guard line.count - first > 64, line.count - first > 4 * members.count else { return }
    line = line[first...].filter { members[$0] != nil }
    first = 0
  }

  mutating func remove(_ number: UInt64) { members[number] = nil }

  mutating func removeOldest(but newest: ServerConnection) -> ServerConnection? {
    while first < line.count {
      let number = line[first]
      guard let connection = members[number] else {
        first += 1
        continue
      }
      guard connection !== newest else { return nil }
      first += 1
      members[number] = nil
      return connection
    }
    return nil
  }
}
