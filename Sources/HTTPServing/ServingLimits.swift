// Every limit of a connection to one of our HTTP servers, by name.

package struct ServingLimits: Sendable {
  package var headerFieldBytes = 16 << 10
  package var headerListBytes = 32 << 10
  package var headerCount = 100
  /// From the opening of a connection to the end of its first request's header.
  package var firstHeadSeconds: Int64 = 20
  /// A connection that sends nothing between two requests is closed after this.
  package var idleSeconds: Int64 = 75
  /// From the header of a request to the end of its body, while it is read.
  package var requestSeconds: Int64 = 300
  /// What is left of a body that nobody will read may still arrive for so long, and so long an answer
  /// may be read before its connection is closed.
  package var lingerSeconds: Int64 = 2
  /// A body up to this length is read away after an answer, so that the connection can be kept.
  package var unreadBodyBytes = 1 << 20
  /// All connections at once.
  package var connections = 16_384
  /// Of these, half at most, room for callers that are known: strangers beyond the others make way, the
  /// oldest first.
  package var connectionsForKnown = 2048

  package init() {}
}
