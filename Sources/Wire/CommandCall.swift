// `POST /v1/commands`: one command in, and what it led to. The same call for every noun and verb.

import Hosting

/// A JSON value carried as it is.
package struct RawJSON: JSONCoded, Equatable, Sendable {
  package let text: [UInt8]

  package init(text: [UInt8]) { self.text = text }
  package init(json: JSONValue) throws(JSONProblem) { text = json.text }
  package func write(to json: inout JSONWriter) { json.raw(text) }

  package init(from decoder: any Decoder) throws {
    throw JSONProblem("raw JSON is read by Wharf's own decoder only")
  }
  package func encode(to encoder: any Encoder) throws {
    preconditionFailure("raw JSON is written by Wharf's own encoder only")
  }

  package var value: JSONValue {
    get throws(JSONProblem) { try JSONValue(document: text) }
  }
}

package struct CommandCall: JSONRecord, Equatable, Sendable {
  /// The body may be this long.
  package static let bodyLimitBytes = 1 << 20

  /// Made by the sender; the same id is the same command for ever.
  package var id: CommandID
  /// `provider.register`
  package var command: String
  package var arguments: RawJSON
  package var reason: Text?
  package var unchangedSince: Position?
  /// Decide only, and say what would be appended.
  package var dryRun: Bool?

  package init(
    id: CommandID, _ command: any Command, reason: Text? = nil, unchangedSince: Position? = nil,
    dryRun: Bool = false
  ) {
    self.id = id
    self.command = type(of: command).type
    arguments = RawJSON(text: command.jsonBytes)
    self.reason = reason
    self.unchangedSince = unchangedSince
    self.dryRun = dryRun ? true : nil
  }

  /// The command itself, read strictly.
  package func decoded() throws(JSONProblem) -> any Command {
    guard let type = CommandTypes.named(command) else {
      throw JSONProblem("there is no command '\(command.shortened(to: 60))'", at: "command")
    }
    do { try Misleading.check(reason?.value ?? "") } catch {
      throw JSONProblem(error.description, at: "reason")
    }
    do {
      try Misleading.check(arguments.value)
      return try type.init(jsonBytes: arguments.text)
    } catch {
      throw JSONProblem(
        error.reason, at: error.path.isEmpty ? "arguments" : "arguments.\(error.path)")
    }
  }
}

package struct CommandReply: JSONRecord, Equatable, Sendable {
  /// The position from which the effect is seen: send it as `Wharf-After` to read your writes.
  package var position: Position
  /// The hash at that position; none for a dry run.
  package var hash: Digest?
  package var dryRun: Bool?
  package var events: [EventItem]

  package init(position: Position, hash: Digest?, dryRun: Bool, events: [EventItem]) {
    self.position = position
    self.hash = hash
    self.dryRun = dryRun ? true : nil
    self.events = events
  }
}

/// An event, as `wharf events` shows it.
package struct EventItem: JSONRecord, Equatable, Sendable, JSONWritable {
  package var position: Position
  package var stream: Stream
  package var type: String
  package var data: RawJSON
  package var metadata: RawJSON
  package var actor: String
  /// The actor's name, as far as the reader may know it.
  package var actorName: String?
  package var commandID: CommandID?
  package var recordedAt: Timestamp
  package var hash: Digest?

  package init(
    position: Position, stream: Stream, type: String, data: RawJSON, metadata: RawJSON,
    actor: String, actorName: String?, commandID: CommandID?, recordedAt: Timestamp, hash: Digest?
  ) {
    self.position = position
    self.stream = stream
    self.type = type
    self.data = data
    self.metadata = metadata
    self.actor = actor
    self.actorName = actorName
    self.commandID = commandID
    self.recordedAt = recordedAt
    self.hash = hash
  }
}

/// A line of the stream of events: all that matches up to here was sent. Resume past it.
package struct StreamCheckpoint: JSONRecord, Equatable, Sendable {
  package var checkpoint: Position

  package init(checkpoint: Position) { self.checkpoint = checkpoint }
}
