// One admitted request, from the choice of an engine to the last byte of its answer.
//
//   asking ──reply──► passing on ──end──► finished
//     │ not reached, another replica left: asking that one
//     │ refused for want of room or by a wrong key, for the first time, another left: asking that one
//     └ stopped, anything else, or none left: finished with an error
//
// 1. The request stays in flight in the gate until nothing more of an engine's answer is passed on;
//    only then may the gateway report that it enforces what ended it.
// 2. Another replica is asked only where none can have begun: no request runs twice.

import AsyncHTTPClient
import HTTPServing
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
  let client: ServerConnection?
  /// Where the room for the request's body is given back.
  let room: BodyRoom
  let channel: any Channel
  let failures: FailureLog
  private let isFinished = Atomic(false)

  init(
    gate: Gate, metrics: GatewayMetrics, admission: GateState.Admission, control: RequestControl,
    call: EngineCall, startedAt: Duration, requestID: String,
    client: ServerConnection?, room: BodyRoom, channel: any Channel, failures: FailureLog
  ) {
    self.gate = gate
    self.metrics = metrics
    self.admission = admission
    self.control = control
    self.call = call
    self.startedAt = startedAt
    self.requestID = requestID
    self.client = client
    self.room = room
    self.channel = channel
    self.failures = failures
    executor = EventLoopExecutor(channel.eventLoop)
    client?.whenGone { [control] in control.stop(.clientGone) }
  }

  /// Work on a request is done on its connection's own event loop: a part that has arrived is written
  /// without changing threads, and a stream never has more than one part waiting to be written.
  private let executor: EventLoopExecutor

  /// A reply that nobody came to send ends here.
  deinit { finish(tokens: 0) }

  private func finish(tokens: Int) {
    guard !isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
    gate.finish(admission.id, tokens: tokens)
    client?.whenGone(nil)
  }

  // MARK: Asking

  func response(to fields: HTTPFields, scan: RequestScan, body: ByteBuffer) async -> Response {
    do {
      let (reply, route) = try await withControl(control, on: executor) { [self] in
        try await ask(fields, scan, body)
      }
      return pass(
        reply, route, requestBytes: body.readableBytes, hidesUsage: scan.usageEdit != nil)
    } catch {
      let denial = why(error)
      // A client that left, or was cut, had an engine at work on the prompt all the same.
      let isBegun =
        control.reason != nil || [.engineSlow, .engineFailed, .engineStopped].contains(denial)
      if denial == .clientGone { gate.note(admission.id, .clientLeft) }
      finish(tokens: isBegun ? meter(body.readableBytes).reckoning.tokens : 0)
      tell(denial, attempt: nil)
      metrics.count(model: admission.modelName, team: admission.team, code: denial.status)
      var response = Replies.error(denial)
      decorate(&response.headers, attempt: nil)
      return response
    }
  }

  private func meter(_ requestBytes: Int) -> UsageMeter {
    UsageMeter(requestBytes: requestBytes, mostTokens: admission.mostTokens)
  }

  private func ask(
    _ fields: HTTPFields, _ scan: RequestScan, _ body: ByteBuffer
  ) async throws -> (EngineReply, PolicyRoute) {
    var route = admission.route
    var refusals = 0
    for round in 1... {
      let headers = Headers.request(
        from: fields, engineKey: route.engineKey.secret, requestID: requestID)
      let outcome = try await call.perform(
        route, headers: headers, body: scan.rewritten(body, model: route.servedModelName))
      switch outcome {
      case .reply(let reply):
        gate.answered(admission.id)
        return (reply, route)
      case .refused(let refusal):
        guard let fault = refusal.fault else {
          gate.answered(admission.id)
          throw refusal.denial
        }
        refusals += 1
        guard refusals == 1, let next = moved(from: route, after: fault) else {
          if refusals > 1 { blame(route, fault) }
          throw refusal.denial
        }
        route = next
      case .failed(.notReached):
        guard round < gate.limits.routeTries, let next = moved(from: route, after: .notReached)
        else { throw Denial.engineNotReached }
        route = next
      case .failed(let fault):
        if fault == .brokeOff, !gate.isRouted(admission.id) { throw Denial.engineStopped }
        blame(route, fault)
        throw Self.denial(of: fault)
      }
    }
    preconditionFailure("the rounds are bounded by routeTries")
  }

  private static func denial(of fault: RouteFault) -> Denial {
    switch fault {
    case .slow: .engineSlow
    case .strange(let answer): .engineStrange(answer)
    case .notReached, .brokeOff, .clientLeft, .refusedKey, .full: .engineFailed
    }
  }

  private func blame(_ route: PolicyRoute, _ fault: RouteFault) {
    told(route, fault)
    gate.note(admission.id, fault)
  }

  private func moved(from route: PolicyRoute, after fault: RouteFault) -> PolicyRoute? {
    told(route, fault)
    return gate.move(admission.id, after: fault)
  }

  private func told(_ route: PolicyRoute, _ fault: RouteFault) {
    metrics.countFailure()
    failures.tried(
      route.attempt, fault.description, requestID: requestID, now: gate.clock.uptime)
  }

  private func tell(_ denial: Denial, attempt: AttemptID?) {
    failures.replied(
      denial, team: admission.team, requestID: requestID, attempt: attempt, now: gate.clock.uptime)
  }

  private func why(_ error: any Error) -> Denial {
    switch control.reason {
    case .cut(let denial): denial
    case .clientGone: .clientGone
    case .idle: .engineSlow
    case .unread: .clientStill
    case .overdue: .engineOverdue
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

  private func pass(
    _ reply: EngineReply, _ route: PolicyRoute, requestBytes: Int, hidesUsage: Bool
  ) -> Response {
    metrics.observeFirstByte(model: admission.modelName, gate.clock.uptime - startedAt)
    var headers = reply.headers
    decorate(&headers, attempt: route.attempt)
    let isEvents = headers[.contentType]?.hasPrefix("text/event-stream") ?? false
    let whole = reply.rest == nil ? reply.first.readableBytes : nil
    return Response(
      status: HTTPResponse.Status(code: reply.status), headers: headers,
      body: ResponseBody(contentLength: whole) { [self] writer in
        let (end, isWithinEvent) = await passOn(
          reply, meter(requestBytes),
          isEvents ? EventHold(limitBytes: gate.limits.eventHeldBytes) : nil,
          hidesUsage: hidesUsage, route, to: writer)
        if let end { tell(end, attempt: route.attempt) }
        metrics.count(
          model: admission.modelName, team: admission.team, code: end?.status ?? reply.status)
        try await close(&writer, end, isEvents: isEvents, isWithinEvent: isWithinEvent)
      })
  }

  /// Passes on part by part, the next only once the client took the last. Returns why it ended early,
  /// if it did, and whether within an event; from then on nothing more of the engine's is sent.
  private func passOn(
    _ reply: EngineReply, _ meter: UsageMeter, _ hold: EventHold?, hidesUsage: Bool,
    _ route: PolicyRoute, to writer: any ResponseBodyWriter
  ) async -> (Denial?, isWithinEvent: Bool) {
    let sink = Sink(writer: writer)
    control.begins(
      askedAt: startedAt, at: gate.clock.uptime, route.waits ?? gate.limits.usualWaits)
    // One write to a connection that takes it is not worth breaking off with half a reply: it is over
    // before the gate, and so the control plane, hears that the request has ended.
    let isPrompt = reply.rest == nil && channel.isWritable
    let task = Task(executorPreference: executor) {
      [gate, control] () async -> (UsageMeter, EventHold?, Denial?) in
      var (writer, meter, hold) = (sink.writer, meter, hold)
      var part = reply.first
      var isLast = false
      while true {
        guard isPrompt || control.reason == nil else { return (meter, hold, .engineBroke) }
        // What the engine took is not its client's, nor the other way round.
        control.moved(at: gate.clock.uptime)
        meter.feed(part)
        let whole = Self.whole(part, isLast: isLast, &hold, hidesUsage: hidesUsage)
        if whole.readableBytes > 0 {
          control.waits(forClient: true)
          do { try await writer.write(whole) } catch { return (meter, hold, .clientGone) }
          control.moved(at: gate.clock.uptime)
          control.waits(forClient: false)
        }
        if isLast { return (meter, hold, nil) }
        do {
          if let next = try await reply.rest?.next() {
            part = next
          } else {
            (part, isLast) = (ByteBuffer(), true)
          }
        } catch {
          return (meter, hold, .engineBroke)
        }
      }
    }
    if !isPrompt { control.attach { task.cancel() } }
    var (fed, left, end) = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    switch control.reason {
    case .idle: gate.note(admission.id, .slow)
    case nil where end == .engineBroke:
      if gate.isRouted(admission.id) {
        gate.note(admission.id, .brokeOff)
      } else {
        end = .engineStopped
      }
    case nil, .cut, .clientGone, .unread, .overdue: break
    }
    let reckoning = fed.reckoning
    if reckoning.isDisbelieved {
      metrics.countDisbelief()
      failures.disbelieved(route.attempt, requestID: requestID, now: gate.clock.uptime)
    }
    finish(tokens: reckoning.tokens)
    if control.reason != nil, reply.rest != nil || end != nil { end = why(end ?? .engineBroke) }
    return (end, left?.isWithinEvent ?? false)
  }

  /// What the client is sent of it now.
  private static func whole(
    _ part: ByteBuffer, isLast: Bool, _ hold: inout EventHold?, hidesUsage: Bool
  ) -> ByteBuffer {
    guard var events = hold else { return part }
    let whole = isLast ? events.rest() : events.pass(part)
    hold = events
    return hidesUsage && !events.isWithinEvent ? UsageEvents.removed(from: whole) : whole
  }

  private func close(
    _ writer: inout any ResponseBodyWriter, _ end: Denial?, isEvents: Bool, isWithinEvent: Bool
  ) async throws {
    guard let end else { return try await writer.finish(nil) }
    // A client that does not read must not hold the request by its last event; one whose answer
    // has no place for an error learns of it by the connection's end.
    guard isEvents, ![.clientGone, .clientStill].contains(end), channel.isWritable else {
      channel.close(promise: nil)
      throw end
    }
    try await writer.write(Replies.errorEvent(end, isWithinEvent: isWithinEvent))
    try await writer.finish(nil)
  }
}

/// Lends a writer to the one task that uses it until it has ended.
private struct Sink: @unchecked Sendable {
  let writer: any ResponseBodyWriter
}
