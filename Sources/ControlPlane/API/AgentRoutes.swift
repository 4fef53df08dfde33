// What agents ask and tell: join, the assignment by long-poll, reports, heartbeats. Reports and
// heartbeats are the leader's to hear; a follower sends them on.

import EventLog
import HashTreeCollections
import Hosting
import Hummingbird
import Planner
import ServiceLifecycle
import Time
import Wire

struct AgentRoutes: Sendable {
  /// An agent may ask to wait this long for a newer assignment.
  static let longestWaitSeconds = 60

  let member: LogMember
  let source: ReadSource
  let signals: SignalBook
  let assignments: Assignments
  let changes: ChangeBoard
  let forwarding: Forwarding

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.post("agent/join") { request, _ in try await join(request) }
    let proved = ProvedAnswer(board: member.board)
    routes.get("agent/assignment") { request, _ in
      try await proved.answer(request) { try await assignment(request) }
    }
    routes.post("agent/report") { request, _ in
      try await proved.answer(request) { try await report(request) }
    }
    routes.post("agent/heartbeat") { request, _ in
      try await proved.answer(request) { try await heartbeat(request) }
    }
  }

  /// None is known of the body that another wharfd answered with: it has its proof.
  private typealias Answer = (response: Response, body: [UInt8]?)

  private func answer(_ body: [UInt8], _ head: Head) -> Answer {
    (.json(body, head: head), body)
  }

  private func join(_ request: Request) async throws -> Response {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return try await forwarding.send(body, request, to: address)
    }
    let head = try await source.head(atLeast: .empty)
    let call: JoinRequest
    do { call = try JoinRequest(jsonBytes: body) } catch {
      throw APIError.malformed("the join request", error)
    }
    // The token is spent with the first join, so a retry is known by the credential.
    if let known = head.state.credentials[call.credential], known.use == .agent {
      return .json(JoinReply(node: known.holder, head: head.witness).jsonBytes, head: head)
    }
    let principal = try source.authentication.principal(of: request, in: head.state)
    let command = JoinNode(name: call.name, credential: call.credential, facts: call.facts)
    do {
      let receipt = try await member.submit(
        CommandRequest(id: call.commandID, command: command, principal: principal))
      let head = member.board.current
      return .json(
        JoinReply(node: receipt.events[0].stream, head: head.witness).jsonBytes, head: head)
    } catch SubmitFailure.notLeading(let address?) {
      return try await forwarding.send(body, request, to: address)
    } catch {
      throw APIError(error)
    }
  }

  private func assignment(_ request: Request) async throws -> Answer {
    let after = Position(Int64(try request.wholeNumber("after") ?? 0))
    let wait = min(try request.wholeNumber("wait") ?? 0, Self.longestWaitSeconds)
    let deadline = member.clocks.now + .seconds(wait)
    var head = try await source.head(atLeast: after)
    let principal = try await source.principal(of: request, &head)
    while true {
      // A wharfd that forgot what it knew begins anew, and knows of no node until it has read the log.
      if head.standing == .starting { throw APIError.starting(member.board) }
      let node = try node(principal, request, head.state)
      // Its node's agent takes any answer for a sign that all is well.
      try forwarding.requireTouch(head)
      if node.generation > after {
        return answer(assignments.assignment(of: node, in: head).jsonBytes, head)
      }
      let left = deadline - member.clocks.now
      guard left > .zero, !Task.isShuttingDownGracefully, !Task.isCancelled else {
        return (.nothingNew(head: member.board.current), [])
      }
      await changes.pause(for: [.assignment(node.id)], after: head, upTo: left)
      head = member.board.current
    }
  }

  private func node(
    _ principal: Principal, _ request: Request, _ state: HostingState
  ) throws -> Node {
    guard principal.role == .agent, case .of(let stream) = principal.actor else {
      throw APIError.notFor(
        principal.role, request, "the agents of nodes",
        help: "an agent's credential comes of joining: wharf node join-token")
    }
    guard let node = state.nodes[ID(stream.origin)] else {
      throw APIError(
        .forbidden, "nodeRemoved", "the node of this agent was removed",
        help: "the agent hears so, with the proof, when it next asks for its assignment")
    }
    return node
  }

  private func hear(_ node: Node, _ speaker: SignalBook.Speaker) throws {
    guard
      signals.heard(
        node.id, speaker, recorded: (node.bootID, node.incarnation), at: member.clocks.now)
        == .accepted
    else {
      throw APIError(
        .conflict, "anotherAgent",
        "another agent with the identity of node \(node.name) is alive",
        help: "one agent a node: stop the other, or join this machine with a token of its own")
    }
  }

  private func report(_ request: Request) async throws -> Answer {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return (try await forwarding.send(body, request, to: address), nil)
    }
    let observation: Observation
    do { observation = try Observation(jsonBytes: body) } catch {
      throw APIError.malformed("the observation", error)
    }
    // Judged by a state at or past the assignment that the agent acted on; one that raises the alarm
    // may have acted on an assignment of a log that is gone.
    let head = try await source.head(
      atLeast: observation.alarm == nil ? observation.generation : .empty)
    let principal = try source.authentication.principal(of: request, in: head.state)
    try forwarding.requireLead(head)
    let node = try node(principal, request, head.state)
    try hear(
      node,
      SignalBook.Speaker(
        bootID: observation.bootID, incarnation: observation.incarnation,
        holdsAll: Self.holdsAll(observation, of: node, head.state)))
    try await note(alarm: observation, of: node, principal)
    if observation.alarm != nil {
      // What it runs, it was told by another past: nothing of that is made a fact here.
      signals.observed(node.id, digest: observation.digest)
      return reply()
    }
    let command = ReportNode(
      bootID: observation.bootID, incarnation: observation.incarnation,
      generation: observation.generation, facts: observation.facts,
      attempts: observation.attempts, strangers: observation.strangers.compactMap(\.id),
      unknownProcesses: observation.strangers.count { $0.id == nil },
      troubles: observation.troubles)
    if head.state.changes(reported: command, by: node) != nil
      || head.state.changes(troubling: command, node) != nil
    {
      do {
        _ = try await member.submit(
          CommandRequest(
            id: Self.commandID(node, observation), command: command, principal: principal))
      } catch SubmitFailure.idUsedOtherwise {
        throw APIError(
          .conflict, "sequenceUsed", "this report's sequence was used for another report",
          help: "a new incarnation starts its own sequence")
      } catch {
        throw APIError(error)
      }
    }
    signals.observed(node.id, digest: observation.digest)
    return reply()
  }

  private func reply() -> Answer {
    let now = member.board.current
    return answer(
      ReportReply(head: now.witness, leaseSeconds: assignments.limits.agentLeaseSeconds).jsonBytes,
      now)
  }

  /// Whether an agent has all that is known to have begun on its node. What it only waits to start, and
  /// others saw running, it does not have.
  private static func holdsAll(
    _ observation: Observation, of node: Node, _ state: HostingState
  ) -> Bool {
    let seen = Dictionary(observation.attempts.map { ($0.id, $0.phase) }) { first, _ in first }
    return node.attempts.allSatisfy { id in
      switch (state.attempts[id]?.phase, seen[id]) {
      case (nil, _), (.placed, _): true
      case (_, nil): false
      case (.starting, _): true
      case (_, let phase?): phase != .starting
      }
    }
  }

  /// Records that a node's agent raised its alarm over this log, or took it back.
  private func note(
    alarm observation: Observation, of node: Node, _ principal: Principal
  ) async throws {
    guard (observation.alarm == nil) != (node.alarm == nil) else { return }
    let cause = observation.alarm == nil ? nil : observation.mistrust ?? .unsaid
    let command = RaiseNodeAlarm(
      cause: cause, seen: cause == nil ? nil : observation.seen?.position)
    do {
      _ = try await member.submit(
        CommandRequest(
          id: Self.commandID(node, observation, "alarm"), command: command, principal: principal))
    } catch {
      throw APIError(error)
    }
  }

  /// One report is one command, however often it is sent.
  private static func commandID(
    _ node: Node, _ observation: Observation, _ use: String = "report"
  ) -> CommandID {
    let text = "\(use) \(node.id) \(observation.incarnation) \(observation.sequence)"
    return CommandID(derivedFrom: Secret(text: text).digest)
  }

  private func heartbeat(_ request: Request) async throws -> Answer {
    let body = try await Forwarding.body(of: request)
    if let address = try forwarding.leaderElsewhere() {
      return (try await forwarding.send(body, request, to: address), nil)
    }
    let beat: Heartbeat
    do { beat = try Heartbeat(jsonBytes: body) } catch {
      throw APIError.malformed("the heartbeat", error)
    }
    let head = try await source.head(atLeast: .empty)
    let principal = try source.authentication.principal(of: request, in: head.state)
    try forwarding.requireLead(head)
    let node = try node(principal, request, head.state)
    try hear(
      node,
      SignalBook.Speaker(bootID: beat.bootID, incarnation: beat.incarnation, holdsAll: false))
    let reply = HeartbeatReply(
      head: head.witness, leaseSeconds: assignments.limits.agentLeaseSeconds,
      wantsReport: !signals.knows(beat.digest, of: node.id))
    return answer(reply.jsonBytes, head)
  }
}

extension Observation {
  /// What heartbeats carry: the digest of the observation with sequence 0.
  package var digest: Digest {
    var plain = self
    plain.sequence = 0
    return Secret.digest(of: plain.jsonBytes)
  }
}
