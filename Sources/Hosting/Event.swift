// Events: past-tense facts. Their type names and JSON forms are storage formats: a golden file each
// under Tests/HostingTests/Golden, and an upcaster when one changes.

/// A fact of one type.
package protocol Event: JSONRecord, Equatable, Sendable {
  /// lowerCamelCase, past tense; for ever.
  static var type: String { get }
  /// Raised, with an upcaster, when the JSON form changes.
  static var schemaVersion: Int { get }
  /// Changes the state by this fact. Pure; never asks what time it is.
  func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction)
}

extension Event {
  package static var schemaVersion: Int { 1 }
}

/// Where and when an event stands.
package struct Fact: Hashable, Sendable {
  package let position: Position
  package let stream: Stream
  package let recordedAt: Timestamp
  package let actor: Actor

  package init(position: Position, stream: Stream, recordedAt: Timestamp, actor: Actor) {
    self.position = position
    self.stream = stream
    self.recordedAt = recordedAt
    self.actor = actor
  }

  /// The id of what this event concerns.
  package func subject<Of: Identified>(_ type: Of.Type = Of.self) throws(Contradiction) -> ID<Of> {
    guard stream.kind == Of.kind else {
      throw Contradiction("an event about a \(Of.kind.rawValue) stands on stream \(stream)")
    }
    return ID(stream.origin)
  }
}

/// An event that does not fit the state before it: a fault of the program or of the log, which
/// stops a reader loudly.
package struct Contradiction: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// An event decided and not yet stored.
package struct NewEvent: Sendable {
  package let stream: Stream
  package let body: any Event

  package init(stream: Stream, body: any Event) {
    self.stream = stream
    self.body = body
  }
}

/// Every type of event there is, by name.
package enum EventTypes {
  package static let all: [any Event.Type] =
    [
      LogEvents.types, PersonEvents.types, ProviderEvents.types, AgreementEvents.types,
      EngineEvents.types, ModelEvents.types, TeamEvents.types, KeyEvents.types, NodeEvents.types,
      DeploymentEvents.types, GatewayEvents.types,
    ].flatMap { $0 }

  private static let byName: [String: any Event.Type] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.type, $0) })

  /// The short way; see CanonicalReader.
  private static func read<Short: CanonicallyRead>(
    _ type: Short.Type, _ data: [UInt8]
  ) -> (any Event)? {
    Short(canonicalDocument: data) as? any Event
  }

  package static func named(_ type: String) -> (any Event.Type)? { byName[type] }

  /// Reads a stored event. Fails for a type or version this program does not know.
  package static func decode(
    type: String, schemaVersion: Int, data: [UInt8]
  ) throws(JSONProblem) -> any Event {
    guard let known = byName[type] else {
      throw JSONProblem("this program does not know the event type '\(type)'; a newer one wrote it")
    }
    guard schemaVersion == known.schemaVersion else {
      throw JSONProblem(
        "this program reads version \(known.schemaVersion) of '\(type)', not \(schemaVersion)")
    }
    if let short = known as? any CanonicallyRead.Type, let event = read(short, data) {
      return event
    }
    return try known.init(jsonBytes: data)
  }
}
