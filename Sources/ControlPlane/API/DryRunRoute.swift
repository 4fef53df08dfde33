// `POST /v1/dry-run`: see `DryRunCall`. Answered by any wharfd, from the head that it has.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import Wire

struct DryRunRoute: Sendable {
  let source: ReadSource
  let reader: LogReader
  let secret: ClusterSecret
  let now: @Sendable () -> Timestamp

  func handle(_ request: Request, _ context: some RequestContext) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    let head = try await source.head(for: request)
    let principal = try source.authentication.principal(of: request, in: head.state)
    let call: DryRunCall
    var requests: [CommandRequest] = []
    do {
      call = try DryRunCall(jsonBytes: body)
      for call in call.calls {
        requests.append(
          CommandRequest(
            id: call.id, command: try call.decoded(), principal: principal, reason: call.reason,
            unchangedSince: call.unchangedSince))
      }
    } catch {
      throw APIError.malformed("the commands", error)
    }
    let now = max(self.now(), head.state.recordedAt)
    let run = DryRun(
      requests, after: head.state, known: try await reader.receipts(of: requests.map(\.id)),
      secret: secret, now: now)
    let names = run.state
    let steps = try run.steps.map { step in
      switch step {
      case .earlier(let receipt):
        DryRunReply.Step(
          isEarlier: true,
          events: try receipt.events.map { try EventItem($0, names: names, reader.keys) })
      case .would(let events):
        DryRunReply.Step(
          isEarlier: false,
          events: try events.map { event in
            var item = try EventItem(event, names: names, reader.keys)
            item.hash = nil
            return item
          })
      }
    }
    let reply = DryRunReply(
      position: head.state.position, steps: steps,
      refusal: run.failure.map { APIError($0).failure },
      item: try call.show.flatMap { try item($0, in: run.state, for: principal, at: now) })
    return .json(reply.jsonBytes, head: head)
  }

  private func item(
    _ show: DryRunCall.Show, in state: HostingState, for principal: Principal, at now: Timestamp
  ) throws -> RawJSON? {
    let visibility: Visibility
    do { visibility = try Visibility.of(principal, state) } catch {
      throw APIError(error, at: state.position)
    }
    let view = Viewpoint(state: visibility.applied(to: state), moment: now)
    return Shelves.json(show.path, show.name, view)
  }
}

extension Shelves {
  /// One thing of those that documents may wish for.
  fileprivate static func json(_ path: String, _ name: String, _ view: Viewpoint) -> RawJSON? {
    func found<Item>(_ shelf: Shelf<Item>) -> RawJSON? {
      shelf.find(view, name).map { RawJSON(text: JSONEncoding.bytes(of: $0)) }
    }
    return switch path {
    case providers.path: found(providers)
    case agreements.path: found(agreements)
    case models.path: found(models)
    case teams.path: found(teams)
    case deployments.path: found(deployments)
    case _: nil
    }
  }
}
