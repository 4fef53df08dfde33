// One row of the log, with all its columns. `data` and `metadata` are kept as exact bytes: the hash
// covers them as they are.

import Hosting

package struct StoredEvent: Equatable, Sendable {
  package let position: Position
  package let stream: Stream
  package let type: String
  package let schemaVersion: Int
  package let data: [UInt8]
  package let metadata: [UInt8]
  package let commandID: CommandID
  /// The seal of the command; on the first event of a command only.
  package let commandHash: Digest?
  package let correlationID: CommandID
  package let causation: Position?
  package let actor: Actor
  package let recordedAt: Timestamp
  /// SHA-256 over the hash before and all columns above; see `Chain`.
  package var hash: Digest

  package init(
    position: Position, stream: Stream, type: String, schemaVersion: Int, data: [UInt8],
    metadata: [UInt8], commandID: CommandID, commandHash: Digest?, correlationID: CommandID,
    causation: Position?, actor: Actor, recordedAt: Timestamp, hash: Digest
  ) {
    self.position = position
    self.stream = stream
    self.type = type
    self.schemaVersion = schemaVersion
    self.data = data
    self.metadata = metadata
    self.commandID = commandID
    self.commandHash = commandHash
    self.correlationID = correlationID
    self.causation = causation
    self.actor = actor
    self.recordedAt = recordedAt
    self.hash = hash
  }

  package var fact: Fact {
    Fact(position: position, stream: stream, recordedAt: recordedAt, actor: actor)
  }

  /// Reads the payload, its personal fields open where the keys at hand open them.
  package func decoded(_ keys: PersonKeys) throws(LogError) -> any Event {
    let event = try decoded()
    // By its stream, which costs nothing: a cast would cost every event.
    guard stream.kind == .person, let holder = event as? any HoldsPersonal else { return event }
    return try keys.opened(holder, in: self)
  }

  /// Reads the payload as it is stored. Fails for a type that this program does not know.
  package func decoded() throws(LogError) -> any Event {
    do {
      return try EventTypes.decode(type: type, schemaVersion: schemaVersion, data: data)
    } catch {
      throw .unreadable(position: position, reason: "\(error)")
    }
  }
}

extension HostingState {
  /// Folds a stored event, or stops at it loudly. Have its keys at hand: see `PersonKeys.prepare`.
  package mutating func fold(_ event: StoredEvent, _ keys: PersonKeys) throws(LogError) {
    let body = try event.decoded(keys)
    do { try evolve(body, event.fact) } catch {
      throw .contradiction(position: event.position, reason: error.description)
    }
  }
}
