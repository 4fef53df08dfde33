// Commands: imperative wishes, as values. CLI, API, seeds, plans and the reconciler all send the
// same ones; each is decided at the head of the log, on exactly the state it is appended to.

import HashTreeCollections

/// A wish of one type.
package protocol Command: JSONRecord, JSONWritable, Sendable {
  /// `noun.verb`, as on the command line.
  static var type: String { get }
  /// Who may send it.
  static var allowed: Set<Role> { get }
  /// Records the events that fulfil it, or says why not. Pure; `decision` holds time, actor and the
  /// next position.
  func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal)
}

extension Command {
  package static var allowed: Set<Role> { [.admin, .operator] }
}

/// What a command is decided with, and the events it leads to.
package struct Decision: Sendable {
  package let now: Timestamp
  package let principal: Principal
  /// The position that the first event will have.
  package let first: Position
  package private(set) var events: [NewEvent] = []

  package init(now: Timestamp, principal: Principal, after head: Position) {
    self.now = now
    self.principal = principal
    self.first = head.next
  }

  /// The position that the next recorded event will have.
  package var next: Position { first + events.count }

  /// Records a fact about something that exists.
  package mutating func record(_ event: some Event, on stream: Stream) {
    events.append(NewEvent(stream: stream, body: event))
  }

  /// Records the fact that makes something, and gives the new thing's id.
  @discardableResult
  package mutating func create<Of: Identified>(_ type: Of.Type, _ event: some Event) -> ID<Of> {
    let id = ID<Of>(next)
    record(event, on: id.stream)
    return id
  }
}

extension HostingState {
  /// Decides one command on this state: the events to append, none if there is nothing to change.
  package func decide(
    _ command: any Command, by principal: Principal, now: Timestamp,
    unchangedSince: Position? = nil
  ) throws(Refusal) -> [NewEvent] {
    let type = Swift.type(of: command)
    let principal = try authorise(principal, type, now: now)
    var decision = Decision(now: now, principal: principal, after: position)
    try command.decide(self, &decision)
    try log.requireReadable(decision.events, of: type)
    if let unchangedSince {
      guard unchangedSince <= position else { throw .positionAhead(unchangedSince, head: position) }
      for event in decision.events {
        if let changed = streamHeads[event.stream], changed > unchangedSince {
          throw .changedSince(unchangedSince, event.stream, at: changed)
        }
      }
    }
    return decision.events
  }
}

/// Every type of command there is, by name.
package enum CommandTypes {
  package static let all: [any Command.Type] =
    [
      LogCommands.types, PersonCommands.types, TokenCommands.types, ProviderCommands.types,
      AgreementCommands.types,
      EngineCommands.types, ModelCommands.types, TeamCommands.types, KeyCommands.types,
      JoinTokenCommands.types, NodeCommands.types, NodeTrustCommands.types,
      DeploymentCommands.types, RestartCommands.types, GatewayCommands.types,
    ].flatMap { $0 }

  private static let byName: [String: any Command.Type] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.type, $0) })

  package static func named(_ type: String) -> (any Command.Type)? { byName[type] }
}
