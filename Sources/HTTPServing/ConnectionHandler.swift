// Does on a connection what `ConnectionState` says. It stands between the parser of HTTP/1 and all that
// knows routes.

import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Said on a channel when the body of the request that is being answered is wanted.
struct BodyWanted {}

/// A problem's form on this server: the kind of its content, and its bytes.
package typealias ProblemForm = @Sendable (ServingProblem) -> (contentType: String, body: [UInt8])

final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let limits: ServingLimits
  private let form: ProblemForm
  private let book: ConnectionBook
  private var connection: ServerConnection?
  private var state: ConnectionState
  private var isOutputClosed = false
  /// Of a first header, of a body, or of the end: at most one of them runs.
  private var timer: Scheduled<Void>?

  init(limits: ServingLimits, book: ConnectionBook, form: @escaping ProblemForm) {
    self.limits = limits
    self.book = book
    self.form = form
    state = ConnectionState(unreadBodyBytes: limits.unreadBodyBytes)
  }

  // MARK: Its life

  func handlerAdded(context: ChannelHandlerContext) {
    connection = book.open(context.channel)
    start(context, limits.firstHeadSeconds) { $0.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  private func leave() {
    timer?.cancel()
    timer = nil
    connection?.leave()
    connection = nil
  }

  private func start(
    _ context: ChannelHandlerContext, _ seconds: Int64,
    _ action: @escaping (ChannelHandlerContext) -> Void
  ) {
    timer?.cancel()
    timer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: .seconds(seconds)) {
      action(context)
    }
  }

  private func stop() {
    timer?.cancel()
    timer = nil
  }

  // MARK: What arrives

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(var head):
      guard (try? HTTPRequest.Method(head.method)) != nil else {
        return meet(.malformed, context)
      }
      guard head.version != .http1_1 || head.headers[canonicalForm: "host"].count == 1 else {
        return meet(.notOneHost, context)
      }
      if state.head(&head) {
        stop()
        context.fireChannelRead(wrapInboundOut(.head(head)))
      }
    case .body:
      if state.bodyPart() { context.fireChannelRead(data) }
    case .end:
      if !state.isClosing { stop() }
      if state.requestEnd() { context.fireChannelRead(data) }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // A request mostly arrives as a whole; only one that does not is held against the clock.
    if state.isReading, timer == nil {
      start(context, limits.requestSeconds) { [weak self] in self?.meet(.tooSlow, $0) }
    }
    context.fireChannelReadComplete()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case HTTPParserError.headerOverflow: meet(.headerTooLong, context)
    case is HTTPParserError, is HTTP1TypeConversionError: meet(.malformed, context)
    // Of a connection that met an error before: its rest is passed over.
    case is ByteToMessageDecoderError: break
    default: context.fireErrorCaught(error)
    }
  }

  private func meet(_ problem: ServingProblem, _ context: ChannelHandlerContext) {
    switch state.error(problem) {
    case .passOn: context.fireErrorCaught(problem)
    case .answer(let problem): answer(problem, context)
    case .close: context.close(promise: nil)
    case .nothing: break
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? ChannelEvent, event == .inputClosed {
      if state.inputClosed() { writeContinue(context) }
      if isOutputClosed { context.close(promise: nil) }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func triggerUserOutboundEvent(
    context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
  ) {
    guard event is BodyWanted else {
      return context.triggerUserOutboundEvent(event, promise: promise)
    }
    if state.wantsBody() { writeContinue(context) }
    promise?.succeed()
  }

  private func writeContinue(_ context: ChannelHandlerContext) {
    let head = HTTPResponseHead(version: .http1_1, status: .continue)
    context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
  }

  // MARK: What goes out

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(var head):
      switch state.answerHead(&head) {
      case .write: context.write(wrapOutboundOut(.head(head)), promise: promise)
      case .writeAndClose:
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: promise)
        close(context)
      case .drop: promise?.succeed()
      }
    case .body:
      if state.writesBody { context.write(data, promise: promise) } else { promise?.succeed() }
    case .end: end(context, data, promise)
    }
  }

  private func end(
    _ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?
  ) {
    switch state.answerEnd() {
    case .write: context.write(data, promise: promise)
    case .writeAndAwaitRest:
      context.write(data, promise: promise)
      start(context, limits.lingerSeconds) { $0.close(promise: nil) }
    case .writeAndClose:
      context.writeAndFlush(data, promise: promise)
      close(context)
    case .writeAndAnswer(let problem):
      context.write(data, promise: promise)
      answer(problem, context)
    case .drop: promise?.succeed()
    }
  }

  private func answer(_ problem: ServingProblem, _ context: ChannelHandlerContext) {
    let (contentType, body) = form(problem)
    let head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: problem.status),
      headers: [
        "content-type": contentType, "content-length": "\(body.count)", "connection": "close",
      ])
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    close(context)
  }

  /// Ends the sending half once all is sent, and takes what is under way for a while: a connection that
  /// is closed on unread bytes is reset, and its client may lose the answer.
  private func close(_ context: ChannelHandlerContext) {
    stop()
    let sent = context.eventLoop.makePromise(of: Void.self)
    context.close(mode: .output, promise: sent)
    sent.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { [self] _ in
      isOutputClosed = true
      guard context.channel.isActive else { return }
      if state.isInputClosed { return context.close(promise: nil) }
      start(context, limits.lingerSeconds) { $0.close(promise: nil) }
    }
  }
}
