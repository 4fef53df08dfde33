// A command on its way into the log, and what comes back.

import Hosting

package struct CommandRequest: Sendable {
  package let id: CommandID
  package let command: any Command
  package let principal: Principal
  /// Why, in the words of who sent it; stands in the metadata of its events.
  package let reason: Text?
  /// Refuse if what the command changes was changed after this position.
  package let unchangedSince: Position?
  package let correlationID: CommandID
  package let causation: Position?

  package init(
    id: CommandID, command: any Command, principal: Principal, reason: Text? = nil,
    unchangedSince: Position? = nil, correlationID: CommandID? = nil, causation: Position? = nil
  ) {
    self.id = id
    self.command = command
    self.principal = principal
    self.reason = reason
    self.unchangedSince = unchangedSince
    self.correlationID = correlationID ?? id
    self.causation = causation
  }

  /// The seal that tells a retry of this command from another command under the same id.
  func seal(_ secret: ClusterSecret) -> Digest {
    secret.seal("command") { message in
      message.part(type(of: command).type)
      message.part(command.jsonBytes)
      message.part(principal.actor.description)
      message.part(reason?.value ?? "")
    }
  }
}

/// What an accepted command led to: read from its events alone, so that a retry at any later time
/// gets the identical one.
package struct Receipt: Equatable, Sendable {
  /// In the order of their positions; never empty.
  package let events: [StoredEvent]

  init(events: [StoredEvent]) {
    precondition(!events.isEmpty, "an accepted command has at least one event")
    self.events = events
  }

  /// The position from which the command's effect is seen.
  package var position: Position { events[events.count - 1].position }
  package var hash: Digest { events[events.count - 1].hash }
}

/// Why a command has no receipt.
package enum SubmitFailure: Error, Equatable, Sendable {
  /// Decided, and not done; true at this position.
  case refused(Refusal, at: Position)
  /// A command of wharfd's own that would change nothing, so nothing of it is in the log.
  case changesNothing(at: Position)
  /// The id was used before, for another command or by someone else.
  case idUsedOtherwise(at: Position)
  /// Too much is waiting; nothing was done.
  case busy
  /// This wharfd does not lead. Nothing was done; ask at the address.
  case notLeading(address: String?)
  /// The database cannot be reached or cannot store; nothing was done.
  case unavailable(String)
  /// The database has not answered for a while; nothing was done.
  case outOfTouch(OutOfTouch)
  /// The connection died while storing: done wholly or not at all. The same id finds out.
  case outcomeUnknown(String)
}
