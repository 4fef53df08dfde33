// The policy for gateways of before its news: whole each time, with a refusal for each team and model.

import EventLog
import HashTreeCollections
import Hosting
import Hummingbird
import ServiceLifecycle
import Time
import Wire

extension GatewayRoutes {
  func wholePolicy(_ request: Request) async throws -> Response {
    var after = Position(Int64(try request.wholeNumber("after") ?? 0))
    let wait = min(try request.wholeNumber("wait") ?? 0, Self.longestWaitSeconds)
    let deadline = member.clocks.now + .seconds(wait)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send([], request, to: address, waitSeconds: wait)
    }
    var head = try await source.head(atLeast: after)
    let enforcing = after
    var asking: GatewayProcess?
    while true {
      let caller = try await caller(request, &head)
      var epoch: Position
      (head, epoch) = try leading(head)
      // Whoever asked may be gone meanwhile, and another in its place: it is not made known once more.
      if let asking, head.state.gatewayProcesses[asking.id] == nil { throw policyNeeded(head) }
      let process = try await process(caller, &head, epoch)
      asking = process
      let policy = olderPolicies.policy(
        at: head, epoch: epoch, lastChange: policies.lastChange(at: head))
      note(policyAt: head, epoch)
      let isNew = policy.position > after
      let left = deadline - member.clocks.now
      if isNew || left <= .zero || Task.isShuttingDownGracefully || Task.isCancelled {
        switch try give(
          caller, process, enforcing: enforcing, withPolicy: isNew, head, epoch)
        {
        case .given:
          return isNew
            ? .json(policy.jsonBytes, head: head) : .nothingNew(head: member.board.current)
        case .policyNeeded: after = .empty
        case .stale: break
        }
      } else {
        await changes.pause(for: subjects(of: caller), after: head, upTo: left)
      }
      head = member.board.current
    }
  }
}
