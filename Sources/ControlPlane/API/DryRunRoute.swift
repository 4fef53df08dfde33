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
    var head = try await source.head(for: request)
    let principal = try await source.principal(of: request, &head)
    let visibility: Visibility
    do { visibility = try Visibility.of(principal, head.state) } catch {
      throw APIError(error, at: head.state.position)
    }
    let call: DryRunCall
    var requests: [CommandRequest] = []
    do { call = try DryRunCall(jsonBytes: body) } catch {
      throw APIError.malformed("the commands", error)
    }
    guard call.calls.count <= Batch.commandLimit else {
      throw APIError(
        .badRequest, "tooManyCommands",
        "a dry run takes \(Batch.commandLimit) commands, and these are \(call.calls.count)",
        help: "try the documents one by one")
    }
    do {
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
    // A caller that may not send a command now is not told what came of it once, nor of those after it.
    let allowed = requests.prefix { request in
      (try? head.state.authorise(principal, type(of: request.command), now: now)) != nil
    }
    let run = DryRun(
      requests, after: head.state,
      known: try await reader.receipts(of: allowed.map(\.id))
        .filter { $0.value.position <= head.state.position },
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
      item: call.show.flatMap { show in
        let view = Viewpoint(state: visibility.applied(to: run.state), moment: now)
        return Shelves.json(show.path, show.name, view)
      })
    return .json(reply.jsonBytes, head: head)
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
