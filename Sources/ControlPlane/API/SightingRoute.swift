// `POST /v1/gateway/sightings`: what a gateway saw of engines since it last said so. The leader's to
// hear; a follower sends it on. Answered with 204: nothing follows from it at once.

import EventLog
import HashTreeCollections
import Hosting
import Hummingbird
import Time
import Wire

struct SightingRoute: Sendable {
  let source: ReadSource
  let sightings: SightingBook
  let forwarding: Forwarding

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.post("gateway/sightings") { request, _ in try await hear(request) }
  }

  private func hear(_ request: Request) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send(body, request, to: address)
    }
    let seen: GatewaySightings
    do { seen = try GatewaySightings(jsonBytes: body) } catch {
      throw APIError.malformed("the gateway's sightings", error)
    }
    guard (1...GatewaySightings.longestSeconds).contains(seen.seconds),
      seen.items.count <= GatewaySightings.itemsLimit,
      seen.items.allSatisfy({ $0.asked >= 0 && $0.answered >= 0 && $0.gaveUp >= 0 })
    else {
      throw APIError(
        .badRequest, "sightingsOutOfRange",
        "cannot take in these sightings: they are of 1 to \(GatewaySightings.longestSeconds) s and of "
          + "at most \(GatewaySightings.itemsLimit) attempts, and no count is below 0",
        help: "use the wharf-gateway of the same release as the wharfd")
    }
    let head = try await source.head(atLeast: .empty)
    let principal = try source.authentication.principal(of: request, in: head.state)
    guard principal.role == .gateway, case .of(let stream) = principal.actor,
      head.state.gateways[ID(stream.origin)] != nil
    else {
      throw APIError.notFor(
        principal.role, request, "gateways", help: "ask with a gateway's credential")
    }
    try forwarding.requireLead(head)
    sightings.saw(seen, by: ID(stream.origin), at: source.clocks.now) {
      head.state.attempts[$0] != nil
    }
    return .nothingNew(head: head)
  }
}
