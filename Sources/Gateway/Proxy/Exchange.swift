// One admitted request, from the choice of an engine to the last byte of its answer.
//
//   asking ──reply──► passing on ──end──► finished
//     │ failed, another replica left: asking again
//     └ stopped, or none left: finished with an error
//
// 1. The request stays in flight in the gate until nothing more of an engine's answer is passed on;
//    only then may the gateway report that it enforces what ended it.
// 2. Another replica is tried only while nothing was sent to the client.

import AsyncHTTPClient
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import Synchronization
import Wire

final class Exchange: Sendable {
  let gate: Gate
  let metrics: GatewayMetrics
  let admission: GateState.Admission
  let control: RequestControl
  let call: EngineCall
  let startedAt: Duration
  let requestID: String
  let client: ClientConnections.Connection?
  let channel: any Channel
  private let isFinished = Atomic(false)

  init(
    gate: Gate, metrics: GatewayMetrics, admission: GateState.Admission, control: RequestControl,
    call: EngineCall, startedAt: Duration, requestID: String,
    client: ClientConnections.Connection?, channel: any Channel
  ) {
    self.gate = gate
    self.metrics = metrics
    self.admission = admission
    self.control = control
    self.call = call
    self.startedAt = startedAt
    self.requestID = requestID
    self.client = client
    self.channel = channel
    executor = EventLoopExecutor(channel.eventLoop)
    client?.answers(control)
  }

  /// Work on a request is done on its connection's own event loop: a part that has arrived is written
  /// without changing threads, and a stream never has more than one part waiting to be written.
  private let executor: EventLoopExecutor

  /// A reply that nobody came to send ends here.
  deinit { finish(tokens: 0) }

  private func finish(tokens: Int) {
    guard !isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
    gate.finish(admission.id, tokens: tokens)
    client?.answers(nil)
  }

  // MARK: Asking

  func response(to fields: HTTPFields, scan: RequestScan, body: ByteBuffer) async -> Response {
    do {
      let (reply, route) = try await withControl(control, on: executor) { [self] in
        try await ask(fields, scan, body)
      }
      return pass(reply, route, requestBytes: body.readableBytes)
    } catch {
      let denial = why(error)
      finish(tokens: 0)
      metrics.count(model: admission.modelName, team: admission.team, code: denial.status)
      var response = Replies.error(denial)
      decorate(&response.headers, attempt: nil)
      return response
    }
  }

  private func ask(
    _ fields: HTTPFields, _ scan: RequestScan, _ body: ByteBuffer
  ) async throws -> (EngineReply, PolicyRoute) {
    var route = admission.route
    for round in 1... {
      let headers = Headers.request(
        from: fields, engineKey: route.engineKey.secret, requestID: requestID)
      let outcome = try await call.perform(
        route, headers: headers, body: scan.rewritten(body, model: route.servedModelName))
      switch outcome {
      case .reply(let reply): return (reply, route)
      case .slow:
        _ = gate.move(admission.id, again: false)
        throw Denial.engineSlow
      case .failed(let brokeConnection):
        metrics.countFailure()
        let next = gate.move(admission.id, again: brokeConnection && round == 1)
        guard round < gate.limits.routeTries, let next else { throw Denial.engineFailed }
        route = next
      }
    }
    preconditionFailure("the rounds are bounded by routeTries")
  }

  private func why(_ error: any Error) -> Denial {
    switch control.reason {
    case .cut(let denial): denial
    case .clientGone: .clientGone
    case .idle: .engineSlow
    case nil: (error as? Denial) ?? .clientGone
    }
  }

  private func decorate(_ fields: inout HTTPFields, attempt: AttemptID?) {
    fields[.requestID] = requestID
    fields[.wharfPosition] = admission.position.description
    if let attempt { fields[.wharfAttempt] = attempt.description }
    Headers.write(admission.quota, to: &fields)
  }

  // MARK: Passing on

  private func pass(_ reply: EngineReply, _ route: PolicyRoute, requestBytes: Int) -> Response {
    metrics.observeFirstByte(model: admission.modelName, gate.clock.uptime - startedAt)
    var headers = reply.headers
    decorate(&headers, attempt: route.attempt)
    let isEvents = headers[.contentType]?.hasPrefix("text/event-stream") ?? false
    let whole = reply.rest == nil ? reply.first.readableBytes : nil
    return Response(
      status: HTTPResponse.Status(code: reply.status), headers: headers,
      body: ResponseBody(contentLength: whole) { [self] writer in
        let end = await passOn(reply, UsageMeter(requestBytes: requestBytes), to: writer)
        metrics.count(
          model: admission.modelName, team: admission.team, code: end?.status ?? reply.status)
        try await close(&writer, end, isEvents: isEvents)
      })
  }

  /// Passes on part by part, the next only once the client took the last. Returns why it ended early,
  /// if it did; from then on nothing more of the engine's is sent.
  private func passOn(
    _ reply: EngineReply, _ meter: UsageMeter, to writer: any ResponseBodyWriter
  ) async -> Denial? {
    let sink = Sink(writer: writer)
    // One write to a connection that takes it is not worth breaking off with half a reply: it is over
    // before the gate, and so the control plane, hears that the request has ended.
    let isPrompt = reply.rest == nil && channel.isWritable
    let task = Task(executorPreference: executor) {
      [gate, control] () async -> (UsageMeter, Denial?) in
      var (writer, meter) = (sink.writer, meter)
      var part = reply.first
      while true {
        guard isPrompt || control.reason == nil else { return (meter, .engineBroke) }
        meter.feed(part)
        do { try await writer.write(part) } catch { return (meter, .clientGone) }
        control.moved(at: gate.clock.uptime)
        do {
          guard let next = try await reply.rest?.next() else { return (meter, nil) }
          part = next
        } catch {
          return (meter, .engineBroke)
        }
      }
    }
    if !isPrompt { control.attach { task.cancel() } }
    let (fed, end) = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    finish(tokens: reply.status == 200 ? fed.tokens : 0)
    if control.reason != nil, reply.rest != nil || end != nil { return why(end ?? .engineBroke) }
    return end
  }

  private func close(
    _ writer: inout any ResponseBodyWriter, _ end: Denial?, isEvents: Bool
  ) async throws {
    guard let end else { return try await writer.finish(nil) }
    // A client that does not read must not hold the request by its last event; one whose answer
    // has no place for an error learns of it by the connection's end.
    guard isEvents, end != .clientGone, channel.isWritable else {
      channel.close(promise: nil)
      throw end
    }
    try await writer.write(Replies.errorEvent(end))
    try await writer.finish(nil)
  }
}

/// Lends a writer to the one task that uses it until it has ended.
private struct Sink: @unchecked Sendable {
  let writer: any ResponseBodyWriter
}
