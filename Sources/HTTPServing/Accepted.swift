// Connections that a server accepted, until somebody handles them. A server that ends drops those that it
// has not handed on, and NIO's async channel, dropped without being finished, ends the whole program: each
// is therefore held by somebody who ends it, when it is dropped.

import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import Synchronization

package typealias HTTPConnection = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

package final class Accepted: ServerChildChannelValue {
  private let connection: HTTPConnection
  private let isTaken = Atomic(false)

  package var channel: any Channel { connection.channel }

  init(_ connection: HTTPConnection) { self.connection = connection }

  /// From here on it is the caller's to end.
  func take() -> HTTPConnection {
    isTaken.store(true, ordering: .relaxed)
    return connection
  }

  deinit {
    if isTaken.load(ordering: .relaxed) { return }
    Task { [connection] in try? await connection.executeThenClose { _, _ in } }
  }
}

/// Connections as `Base` sets them up and handles them, none of which ends the program when it is dropped.
package struct AcceptingChannel<Base: ServerChildChannel>: ServerChildChannel
where Base.Value == HTTPConnection {
  let base: Base

  package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Accepted> {
    base.setup(channel: channel, logger: logger).map(Accepted.init)
  }

  package func handle(value: Accepted, logger: Logger) async {
    await base.handle(value: value.take(), logger: logger)
  }
}

extension HTTPServerBuilder {
  /// - Parameter form: how this server puts a problem that no route sees.
  package static func serving(
    _ limits: ServingLimits, _ book: ConnectionBook, form: @escaping ProblemForm
  ) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
      AcceptingChannel(
        base: ServingChannel(limits: limits, book: book, form: form, responder: responder))
    }
  }

  /// Hummingbird's own server, without our manners.
  package static func plain(_ configuration: HTTP1Channel.Configuration = .init())
    -> HTTPServerBuilder
  {
    HTTPServerBuilder { responder in
      AcceptingChannel(base: HTTP1Channel(responder: responder, configuration: configuration))
    }
  }
}
