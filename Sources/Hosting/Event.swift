// Events: past-tense facts. Their type names and JSON forms are storage formats: a golden file each
// under Tests/HostingTests/Golden, and an upcaster when one changes.

/// A fact of one type.
package protocol Event: JSONRecord, CanonicallyRead, JSONWritable, Equatable, Sendable {
  /// lowerCamelCase, past tense; for ever.
  static var type: String { get }
  /// From each earlier version of the JSON form to the next, the first first. A change of the form
  /// adds one, and a golden file; there is no other way to raise `schemaVersion`.
  static var upcasters: [Upcaster] { get }
  /// The log's format level from which this form may be written: what older programs cannot read
  /// waits until `wharfd finalize` says that none is left.
  static var formatLevel: Int { get }
  /// Changes the state by this fact. Pure; never asks what time it is.
  func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction)
}

extension Event {
  package static var upcasters: [Upcaster] { [] }
  package static var formatLevel: Int { FormatLevel.first }
  /// The version of the JSON form that is written.
  package static var schemaVersion: Int { 1 + upcasters.count }
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
  package static let known = EventRegistry(
    [
      LogEvents.types, PersonEvents.types, TokenEvents.types, ProviderEvents.types,
      AgreementEvents.types, EngineEvents.types, ModelEvents.types, TeamEvents.types,
      KeyEvents.types, JoinTokenEvents.types, NodeEvents.types, NodeTrustEvents.types,
      DeploymentEvents.types, GatewayEvents.types,
    ].flatMap { $0 })

  package static var all: [any Event.Type] { known.all }

  package static func named(_ type: String) -> (any Event.Type)? { known.named(type) }

  /// Reads a stored event. Fails for a type or version this program does not know.
  package static func decode(
    type: String, schemaVersion: Int, data: [UInt8]
  ) throws(JSONProblem) -> any Event {
    try known.decode(type: type, schemaVersion: schemaVersion, data: data)
  }
}

/// Types of events by name: those of this program, or of a test.
package struct EventRegistry: Sendable {
  package let all: [any Event.Type]
  private let byName: [String: (type: any Event.Type, upcasters: [Upcaster])]

  package init(_ types: [any Event.Type]) {
    all = types
    byName = Dictionary(
      uniqueKeysWithValues: types.map { ($0.type, (type: $0, upcasters: $0.upcasters)) })
  }

  package func named(_ type: String) -> (any Event.Type)? { byName[type]?.type }

  /// Reads a stored event, of whatever version up to the known one. Fails for a type or version that
  /// is not known here.
  package func decode(
    type: String, schemaVersion: Int, data: [UInt8]
  ) throws(JSONProblem) -> any Event {
    guard let known = byName[type] else {
      throw JSONProblem("this program does not know the event type '\(type)'; a newer one wrote it")
    }
    let newest = 1 + known.upcasters.count
    guard (1...newest).contains(schemaVersion) else {
      throw JSONProblem(
        "this program reads '\(type)' up to version \(newest), not \(schemaVersion); a newer one "
          + "wrote it")
    }
    if schemaVersion == newest, let event = Self.read(known.type, data) { return event }
    var data = data
    for upcaster in known.upcasters[(schemaVersion - 1)...] { data = try upcaster(data) }
    return try known.type.init(jsonBytes: data)
  }

  /// The short way; see CanonicalReader.
  private static func read<Known: Event>(_ type: Known.Type, _ data: [UInt8]) -> (any Event)? {
    Known(canonicalDocument: data)
  }
}
