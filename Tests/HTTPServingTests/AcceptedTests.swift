// What becomes of connections that a server accepted and nobody handles, as when it ends: they are closed,
// and the program lives on.

import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import TestTools
import Testing

@testable import HTTPServing

@Suite(.bounded) struct AcceptedTests {
  private static let logger = Logger(label: "test")

  /// A client of a server that drops what it accepts.
  private func meet(
    _ dropped: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let server = try await ServerBootstrap(group: group)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer(dropped)
      .bind(host: "127.0.0.1", port: 0).get()
    let address = try #require(server.localAddress)
    let client = try await ClientBootstrap(group: group).connect(to: address).get()
    try await client.closeFuture.get()
    try await server.close()
  }

  @Test func `a connection that was accepted and that nobody handles is closed`() async throws {
    let limits = ServingLimits()
    let serving = AcceptingChannel(
      base: ServingChannel(
        limits: limits, book: ConnectionBook(limits), form: { _ in ("text/plain", []) },
        responder: { _, _, _ in }))
    try await meet { serving.setup(channel: $0, logger: Self.logger).map { _ in } }
  }

  @Test func `so is one of a plain server`() async throws {
    let plain = AcceptingChannel(base: HTTP1Channel(responder: { _, _, _ in }))
    try await meet { plain.setup(channel: $0, logger: Self.logger).map { _ in } }
  }
}
