// `GET /v1/events/stream`: the log as lines of JSON, from a position on and then for ever. Each line is
// an event, or `{"checkpoint": P}`: resume with `after=P`. The caller's rights are looked at again at every page.

import EventLog
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import ServiceLifecycle
import Time
import Wire

struct EventStream: Sendable {
  /// A line is sent at least this often, so that a reader that went away is noticed.
  static let beatInterval = Duration.seconds(10)
  /// It looks up this often, so that it does not hold up a shutdown.
  private static let lookInterval = Duration.milliseconds(500)

  let routes: EventRoutes
  let page: EventRoutes.Page

  func response(to request: Request) async throws -> Response {
    let context = try await routes.source.context(request)
    let seat = try routes.source.budgets.seats.take(context.principal)
    let connection = KnownCaller.connection
    let stalled = Duration.seconds(routes.source.budgets.streamStalledSeconds)
    var response = Response.json([], head: context.head)
    response.headers[.contentType] = "application/x-ndjson"
    response.headers[.contentLength] = nil
    response.body = ResponseBody { writer in
      let stall = StallWatch(clocks: routes.source.clocks)
      let watch = stall.watch(limit: stalled) { connection?.end() }
      defer { withExtendedLifetime(seat) { watch.cancel() } }
      try await write(request, by: context.principal, stall, to: &writer)
      try await writer.finish(nil)
    }
    return response
  }

  private func write(
    _ request: Request, by principal: Principal, _ stall: StallWatch,
    to writer: inout any ResponseBodyWriter
  ) async throws {
    var options = SubscriptionOptions()
    options.beatInterval = Self.lookInterval
    var checkpoint = page.after
    let clocks = routes.source.clocks
    var beat = clocks.now + Self.beatInterval
    let subscription = Subscription(
      name: "event stream of \(principal.actor)", reader: routes.source.reader, bell: routes.bell,
      filter: page.filter, after: page.after, options: options, readers: routes.readers)
    for try await next in subscription {
      if Task.isShuttingDownGracefully { return }
      guard next.checkpoint > checkpoint || clocks.now >= beat else { continue }
      checkpoint = next.checkpoint
      beat = clocks.now + Self.beatInterval
      _ = try await routes.source.head(atLeast: next.checkpoint)
      let context = try await routes.source.context(request)
      var lines = ByteBuffer()
      for event in try await routes.visible(next.events, context) {
        lines.writeBytes(
          try EventItem(event, context, routes.source.reader.keys).jsonBytes)
        lines.writeString("\n")
      }
      lines.writeBytes(StreamCheckpoint(checkpoint: next.checkpoint).jsonBytes)
      lines.writeString("\n")
      stall.begins()
      try await writer.write(lines)
      stall.ends()
    }
  }
}
