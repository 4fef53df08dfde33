// Every limit of the gateway, by name. The defaults are what the program runs with; tests shorten
// waits.

package struct GatewayLimits: Sendable {
  // What clients may send
  package var requestBodyBytes = 16 << 20
  package var headerFieldBytes = 16 << 10
  package var headerListBytes = 32 << 10
  package var headerCount = 100
  package var clientConnections = 16_384
  /// A connection that sends nothing, between requests or within one, is closed after this.
  package var clientIdleSeconds: Int64 = 75
  /// What is left of a body that nobody will read may still arrive for so long.
  package var unreadBodyLingerSeconds: Int64 = 2
  /// A body up to this length is read away after a refusal, so that the connection can be kept.
  package var unreadBodyBytes = 1 << 20

  // What goes on at once
  package var requestsInFlight = 4096
  package var connectionsPerEngine = 1024

  // Engines
  package var engineConnectSeconds: Int64 = 2
  /// From sending the request to the first byte of the answer; the whole of an answer that is not
  /// streamed is generated before it.
  package var engineFirstByteSeconds: Int64 = 600
  /// Between two parts of an answer, or while the client does not read.
  package var idleSeconds: Int64 = 120
  /// How many routes one request may try while nothing was sent to the client.
  package var routeTries = 3
  /// A route that failed is passed over for so long, unless it is the last one.
  package var routeRestSeconds: Int64 = 5
  /// An answer up to this length is taken whole before any of it is sent on, so that an engine's
  /// death within it can still be mended.
  package var bufferedReplyBytes = 1 << 20
  package var engineErrorBytes = 64 << 10

  // The control plane
  /// How long a policy request may wait for news; less where a third of the lease is less.
  package var policyWaitSeconds = 25
  package var policyBytes = 64 << 20
  package var controlPlaneReplySeconds: Int64 = 10
  package var retryFloorMilliseconds = 200
  package var retryCeilingMilliseconds = 3000

  // Time within
  /// How often requests in flight are held against the clock: dates, lease, idleness. They are cut
  /// so much before the lease ends.
  package var sweepMilliseconds = 250
  /// How often it is looked whether all cut requests have ended.
  package var cutPollMilliseconds = 2
  package var drainSeconds: Int64 = 30

  // Memory
  package var metricSeries = 20_000

  package init() {}
}
