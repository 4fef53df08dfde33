// The channel of a connection: parser, manners, types of Hummingbird, idleness. As Hummingbird's own, with
// the manners between.

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

package struct ServingChannel: ServerChildChannel, HTTPChannelHandler {
  package typealias Value = HTTPConnection

  package let responder: HTTPChannelHandler.Responder
  private let limits: ServingLimits
  private let book: ConnectionBook
  private let form: ProblemForm

  init(
    limits: ServingLimits, book: ConnectionBook, form: @escaping ProblemForm,
    responder: @escaping HTTPChannelHandler.Responder
  ) {
    self.limits = limits
    self.book = book
    self.form = form
    self.responder = { request, writer, channel in
      var request = request
      if request.headers[.expect] != nil {
        request.body = RequestBody(
          asyncSequence: WantedBody(body: request.body, channel: channel))
      }
      try await responder(request, writer, channel)
    }
  }

  package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      var decoding = NIOHTTPDecoderLimitConfiguration()
      decoding.maxHeaderFieldSize = limits.headerFieldBytes
      decoding.maxHeaderListSize = limits.headerListBytes
      decoding.maxHeaderFieldCount = limits.headerCount
      var encoding = HTTPResponseEncoder.Configuration()
      encoding.automaticallySetFramingHeaders = false
      try pipeline.configureHTTPServerPipeline(
        withPipeliningAssistance: false, withErrorHandling: false,
        withOutboundHeaderValidation: false, withEncoderConfiguration: encoding,
        withDecoderLimitConfiguration: decoding)
      try pipeline.addHandler(ConnectionHandler(limits: limits, book: book, form: form))
      try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
      try pipeline.addHandler(
        HTTPConnectionStateHandler(idleTimeout: .seconds(limits.idleSeconds), logger: logger))
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel,
        configuration: .init(isOutboundHalfClosureEnabled: true))
    }
  }

  package func handle(value: Value, logger: Logger) async {
    await handleHTTP(asyncChannel: value, logger: logger)
  }
}

/// A body whose client waits to be asked for it: it is asked once somebody reads.
private struct WantedBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  let body: RequestBody
  let channel: any Channel

  func makeAsyncIterator() -> Iterator {
    Iterator(body: body.makeAsyncIterator(), channel: channel)
  }

  struct Iterator: AsyncIteratorProtocol {
    var body: RequestBody.AsyncIterator
    var channel: (any Channel)?

    mutating func next() async throws -> ByteBuffer? {
      channel?.triggerUserOutboundEvent(BodyWanted(), promise: nil)
      channel = nil
      return try await body.next()
    }
  }
}
