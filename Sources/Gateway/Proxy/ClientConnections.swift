// Tells a request that its client hung up. The server reads no further request while one is being
// answered, so it would find out only by failing to write; this handler sees the end of input on
// the connection itself. A client that shuts its sending side is taken to be gone, as by other proxies.

import NIOCore
import Synchronization

final class ClientConnections: Sendable {
  final class Connection: Sendable {
    private struct State {
      var isGone = false
      var request: RequestControl?
    }
    private let state = Mutex(State())

    /// The request that is being answered now; none between two.
    func answers(_ request: RequestControl?) {
      let isGone = state.withLock { state in
        state.request = request
        return state.isGone
      }
      if isGone { request?.stop(.clientGone) }
    }

    func close() {
      let request = state.withLock { state in
        state.isGone = true
        return state.request
      }
      request?.stop(.clientGone)
    }
  }

  private let connections = Mutex<[ObjectIdentifier: Connection]>([:])

  subscript(channel: any Channel) -> Connection? {
    connections.withLock { $0[ObjectIdentifier(channel)] }
  }

  fileprivate func open(_ channel: any Channel) -> Connection {
    let connection = Connection()
    connections.withLock { $0[ObjectIdentifier(channel)] = connection }
    return connection
  }

  fileprivate func forget(_ channel: any Channel) {
    _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(channel)) }
  }
}

final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = Any

  private let connections: ClientConnections
  private var connection: ClientConnections.Connection?

  init(_ connections: ClientConnections) { self.connections = connections }

  func handlerAdded(context: ChannelHandlerContext) {
    connection = connections.open(context.channel)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    connection?.close()
    connections.forget(context.channel)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed { connection?.close() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    connection?.close()
    context.fireChannelInactive()
  }
}
