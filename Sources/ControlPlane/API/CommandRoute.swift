// `POST /v1/commands`: decided here when this wharfd leads, sent on to the leader when it does not.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import Wire

struct CommandRoute: Sendable {
  let member: LogMember
  let source: ReadSource
  let forwarding: Forwarding
  let now: @Sendable () -> Timestamp

  func handle(_ request: Request, _ context: some RequestContext) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    // A follower may be behind: what it would refuse, a dry run too, the leader may just have allowed.
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send(body, request, to: address)
    }
    let head = try await source.head(atLeast: .empty)
    let principal = try source.authentication.principal(of: request, in: head.state)
    let call: CommandCall
    let command: any Command
    do {
      call = try CommandCall(jsonBytes: body)
      command = try call.decoded()
    } catch {
      throw APIError.malformed("the command", error)
    }
    if call.dryRun == true {
      return try dryRun(call, command, principal, head)
    }
    do {
      let receipt = try await member.submit(
        CommandRequest(
          id: call.id, command: command, principal: principal, reason: call.reason,
          unchangedSince: call.unchangedSince))
      let state = member.board.current.state
      return reply(
        CommandReply(
          position: receipt.position, hash: receipt.hash, dryRun: false,
          events: try receipt.events.map { try EventItem($0, names: state, member.keys) }))
    } catch SubmitFailure.notLeading(let address?) {
      return try await forwarding.send(body, request, to: address)
    } catch let failure as SubmitFailure {
      throw APIError(failure)
    }
  }

  private func dryRun(
    _ call: CommandCall, _ command: any Command, _ principal: Principal, _ head: Head
  ) throws -> Response {
    let step: Trial.Step
    do {
      var trial = Trial(after: head.state)
      step = try trial.perform(
        command, by: principal, now: now(), unchangedSince: call.unchangedSince)
    } catch {
      throw APIError(error, at: head.state.position)
    }
    let items = step.events.indices.map { index in
      let (event, fact) = (step.events[index], step.fact(of: index))
      return EventItem(
        position: fact.position, stream: fact.stream, type: type(of: event.body).type,
        data: RawJSON(text: event.body.jsonBytes), metadata: RawJSON(text: Array("{}".utf8)),
        actor: fact.actor.description, actorName: head.state.name(of: fact.actor),
        commandID: call.id, recordedAt: head.state.recordedAt, hash: nil)
    }
    return reply(
      CommandReply(position: head.state.position, hash: nil, dryRun: true, events: items))
  }

  private func reply(_ reply: CommandReply) -> Response {
    .json(reply.jsonBytes, head: member.board.current)
  }
}

extension APIError {
  init(_ failure: SubmitFailure) {
    switch failure {
    case .refused(let refusal, let position):
      self.init(refusal, at: position)
    case .changesNothing(let position):
      self.init(
        .conflict, "changesNothing", "this is so already; nothing was done",
        help: "there is nothing to do", at: position)
    case .idUsedOtherwise(let position):
      self.init(
        .conflict, "commandIDUsed",
        "this command id was used before, by another command or someone else, at \(position)",
        help: "make a new id for a new command. What makes a secret makes another one each time: "
          + "where its answer was lost, rotate or revoke what it made", at: position)
    case .busy:
      self.init(
        .serviceUnavailable, "busy", "too many commands are waiting; nothing was done",
        help: "try again in a moment")
    case .notLeading:
      self.init(
        .serviceUnavailable, "noLeader", "no wharfd leads at the moment; nothing was done",
        help: "try again in a moment")
    case .unavailable(let reason):
      self.init(
        .serviceUnavailable, "unavailable", "the command was not done: \(reason)",
        help: "send it again once the database is back")
    case .outOfTouch(let problem): self.init(problem)
    case .outcomeUnknown(let reason):
      self.init(
        .serviceUnavailable, "outcomeUnknown",
        "whether the command was done is not known: \(reason)",
        help: "send it again with the same id: it is done once, and the answer is the first one")
    }
  }
}

extension Response {
  static func json(_ body: [UInt8], head: Head) -> Response {
    var headers: HTTPFields = [.contentType: "application/json"]
    if let name = HTTPField.Name(WharfHeader.head) { headers[name] = head.witness.headerText }
    return Response(
      status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}
