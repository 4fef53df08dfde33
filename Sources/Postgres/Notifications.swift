// Announcements of a channel as an async sequence that outlives its connection.
//
// A thread of its own listens, since waiting for announcements is waiting for ever. Between it and the
// reader is a mailbox of constant size: announcements that the reader has not fetched yet become one.

import Machine

/// What a reader learns. All of it means the same: read on from your checkpoint.
package enum ListenEvent: Sendable, Hashable {
  /// The first LISTEN took effect: read once, since what came before was not announced to you.
  case listening
  /// LISTEN took effect again after the connection was lost for this reason: announcements may be
  /// missing.
  case reconnected(after: PostgresError)
  /// Something was announced, once or more; this is the last payload.
  case notified(payload: String)
}

/// How a listener finds out that its server is gone without a word.
package struct ListenOptions: Sendable, Hashable {
  /// After so much silence the server is asked for a sign of life.
  package var probeSeconds = 15
  package var probeTimeoutSeconds = 5

  package init() {}
}

/// Listens to a channel from now on until the sequence and its iterators are gone.
/// A cancelled reader gets nil. One reader at a time.
///
/// - Throws: `resourceExhausted` when there is no descriptor or thread for it.
package func listen(
  _ configuration: PostgresConfiguration, channel: String, options: ListenOptions = ListenOptions()
) throws(PostgresError) -> Notifications {
  try Notifications(configuration, channel: channel, options: options)
}

package struct Notifications: AsyncSequence, Sendable {
  package typealias Element = ListenEvent
  package typealias Failure = Never

  private let listener: Listener

  fileprivate init(
    _ configuration: PostgresConfiguration, channel: String, options: ListenOptions
  ) throws(PostgresError) {
    listener = try Listener(configuration, channel: channel, options: options)
  }

  package func makeAsyncIterator() -> Iterator { Iterator(listener: listener) }

  package struct Iterator: AsyncIteratorProtocol {
    fileprivate let listener: Listener

    /// - Returns: nil when the task is cancelled.
    package mutating func next() async -> ListenEvent? {
      await listener.mailbox.next()
    }

    package mutating func next(isolation: isolated (any Actor)?) async -> ListenEvent? {
      await listener.mailbox.next()
    }
  }
}

/// Ends the thread when the last reader is gone.
private final class Listener: Sendable {
  let mailbox = ListenMailbox()
  private let token: CancelToken

  init(
    _ configuration: PostgresConfiguration, channel: String, options: ListenOptions
  ) throws(PostgresError) {
    token = CancelToken(wake: try WakeDescriptor())
    let loop = ListenLoop(
      configuration: configuration, channel: channel, options: options, mailbox: mailbox,
      token: token)
    guard PosixThread.start(name: "wharf-pg-listen", { loop.run() }) else {
      throw PostgresError(
        .resourceExhausted, "no thread is left", attempted: "listen to \(channel)")
    }
  }

  deinit { token.cancel() }
}

/// What the thread does: connect, listen, announce; and again.
private struct ListenLoop: Sendable {
  let configuration: PostgresConfiguration
  let channel: String
  let options: ListenOptions
  let mailbox: ListenMailbox
  let token: CancelToken

  func run() {
    var backoff = Backoff.connecting
    var random = SystemRandomNumberGenerator()
    var loss: PostgresError?
    while !token.isCancelled {
      do throws(PostgresError) {
        var connection = try Connection(configuration, cancelToken: token)
        try connection.listen(to: channel)
        backoff.reset()
        mailbox.post(loss.map { .reconnected(after: $0) } ?? .listening)
        loss = nil
        try announce(&connection)
      } catch {
        // Why it broke, not why the tries since have failed.
        if mailbox.hasListened { loss = loss ?? error }
        let pause = Duration.milliseconds(backoff.pauseMilliseconds(using: &random))
        Waiting.sleep(wake: token.wake, until: ContinuousClock.now + pause)
      }
    }
  }

  private func announce(_ connection: inout Connection) throws(PostgresError) {
    while !token.isCancelled {
      let arrived = try connection.waitForNotifications(timeout: .seconds(options.probeSeconds))
      if let last = arrived.last {
        mailbox.post(.notified(payload: last.payload))
      } else if !token.isCancelled {
        try connection.execute("SELECT", timeout: .seconds(options.probeTimeoutSeconds))
      }
    }
  }
}
