// Every limit of the gateway, by name. The defaults are what the program runs with; tests shorten
// waits.

import HTTPServing
import Hosting

package struct GatewayLimits: Sendable {
  // What clients may send
  package var serving = ServingLimits()
  package var clientConnections: Int {
    get { serving.connections }
    set { serving.connections = newValue }
  }
  package var requestBodyBytes = 16 << 20
  /// Bodies of all requests that are read or answered now.
  package var bodiesBytes = 1 << 30
  package var keyBytes = 512

  // What goes on at once
  package var requestsInFlight = 4096
  package var connectionsPerEngine = 1024

  // Engines
  package var engineConnectSeconds: Int64 = 2
  /// A connection that no request uses is kept for so long: less than engines keep them (5 s those on
  /// uvicorn and cpp-httplib), so that no request is sent into one that is being closed.
  package var engineKeepAliveSeconds: Int64 = 3
  /// Where the engine's template says nothing. From sending the request to the first byte of the answer;
  /// the whole of an answer that is not streamed is generated before it.
  package var engineFirstByteSeconds = 600
  /// Likewise. Between two parts of an answer, or while the client does not read.
  package var idleSeconds = 120
  /// Likewise. The whole of an answer.
  package var engineWholeSeconds = 3600

  /// How long a request may wait at an engine whose template says nothing.
  var usualWaits: Launch.Waits {
    Launch.Waits(
      firstByteSeconds: engineFirstByteSeconds, idleSeconds: idleSeconds,
      wholeSeconds: engineWholeSeconds)
  }

  /// How many replicas one request may try to reach while none has taken it.
  package var routeTries = 3
  /// A route that failed is passed over for so long, unless it is the last one; as long at most is
  /// heeded what an engine without room says.
  package var routeRestSeconds: Int64 = 5
  /// After so many tries in a row that came to nothing a route is put out.
  package var routeFruitlessTries = 3
  /// For so long at first, each further time for twice as long, up to the ceiling.
  package var routeOutSeconds: Int64 = 10
  package var routeOutCeilingSeconds: Int64 = 300
  /// A client that leaves sooner tells nothing of the engine that it did not wait for.
  package var patienceSeconds: Int64 = 5
  /// An answer up to this length is taken whole before any of it is sent on, so that an engine's
  /// death within it is told with a status of its own.
  package var bufferedReplyBytes = 1 << 20
  /// Of an event that has not ended so much is held back, so that an error event stands alone.
  package var eventHeldBytes = 256 << 10
  /// What an engine says against a request may be this long, and take so long.
  package var engineErrorBytes = 64 << 10
  package var engineErrorSeconds: Int64 = 5
  /// So much of its words is passed on.
  package var engineMessageCharacters = 4000
  /// The longest wait that is passed on from an engine without room.
  package var retryAfterCeilingSeconds = 3600

  // The control plane
  /// How long a policy request may wait for news; less where a third of the lease is less.
  package var policyWaitSeconds = 25
  package var policyBytes = 64 << 20
  package var controlPlaneReplySeconds: Int64 = 10
  /// How often the lease is asked for anew, beside the long poll, and for how long one server may keep
  /// that waiting before the next is asked; both less where a sixth of the lease is less.
  package var leaseRenewalSeconds = Leases.renewalSeconds
  package var leaseReplySeconds = 5
  /// Where more of a limit is wanted than is held, the lease is asked for early: so often at most, and
  /// so soon.
  package var shareCallMilliseconds: Int64 = 1_000
  package var shareLookMilliseconds: Int64 = 100
  /// How long the word that this process leaves may take at one server.
  package var leaveReplyMilliseconds: Int64 = 2_000
  /// How often what was seen of replicas is told, where there is something to tell.
  package var sightingSeconds: Int64 = 5
  package var retryFloorMilliseconds = 200
  package var retryCeilingMilliseconds = 3000

  // Time within
  /// How often requests in flight are held against the clock: dates, lease, idleness. They are cut
  /// so much before the lease ends.
  package var sweepMilliseconds = 250
  /// How often it is looked whether all cut requests have ended.
  package var cutPollMilliseconds = 2
  package var drainSeconds = 30
  /// After the drain: until what was still in flight has been told of the end, and wharfd that this process
  /// leaves.
  package var lastWordsSeconds = 5
  package static let longestDrainSeconds = 86_400

  // What is told
  /// Lines of the log about failed requests.
  package var failureLinesPerSecond = 50

  // Memory
  package var metricSeries = 20_000

  package init() {}
}
