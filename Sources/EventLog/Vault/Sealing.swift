// What a batch seals personal data with: the keys there are, and new ones for persons who have none.
// A value, so that a batch that is dropped takes its new keys with it.

import Hosting

package struct Sealing: Sendable {
  /// The key of a person who has none yet, to be stored with the events that it was first used for.
  package struct NewKey: Sendable {
    let person: ID<Person>
    let key: PersonKey
    let wrapped: [UInt8]
  }

  enum Entry: Sendable, Equatable {
    case key(PersonKey)
    /// Destroyed: nothing is ever kept of this person again.
    case destroyed
  }

  private var entries: [ID<Person>: Entry]
  private let vault: VaultKey?
  private let makeKey: @Sendable () -> [UInt8]
  private var isOpen = false
  private(set) var made: [NewKey] = []

  /// - Parameter makeKey: gives 32 random bytes.
  init(
    entries: [ID<Person>: Entry], vault: VaultKey?, makeKey: @escaping @Sendable () -> [UInt8]
  ) {
    self.entries = entries
    self.vault = vault
    self.makeKey = makeKey
  }

  /// For commands of wharfd itself, which hold nothing of persons.
  package static var nothing: Sealing {
    Sealing(entries: [:], vault: nil) { preconditionFailure("nothing is to be sealed here") }
  }

  /// Leaves everything as it is: for what is never stored.
  package static var open: Sealing {
    var sealing = nothing
    sealing.isOpen = true
    return sealing
  }

  /// What is decided behind this seals with: the keys that there are now, and those made here, as stored. Of the
  /// keys that were there before one may have been destroyed since.
  func settled(among entries: [ID<Person>: Entry]) -> Sealing {
    var next = self
    next.entries = entries
    for new in made where entries[new.person] == nil { next.entries[new.person] = .key(new.key) }
    next.made = []
    return next
  }

  mutating func seal(
    _ text: String, of person: ID<Person>, at position: Position, field: String
  ) -> Personal<String> {
    if isOpen { return .known(text) }
    switch entries[person] {
    case .key(let key): return .sealed(key.seal(text, of: person, at: position, field: field))
    case .destroyed: return .forgotten
    case nil:
      guard let vault else { preconditionFailure("personal data without a vault") }
      let key = PersonKey(bytes: makeKey())
      entries[person] = .key(key)
      made.append(NewKey(person: person, key: key, wrapped: vault.wrap(key, of: person)))
      return .sealed(key.seal(text, of: person, at: position, field: field))
    }
  }

  /// The JSON text of an event as it is stored.
  mutating func data(of event: NewEvent, at position: Position) -> [UInt8] {
    // By its stream, which costs nothing: a cast would cost every event.
    guard event.stream.kind == .person, let holder = event.body as? any HoldsPersonal else {
      return event.body.jsonBytes
    }
    let person = ID<Person>(event.stream.origin)
    do {
      let sealed = try holder.changingPersonal { field, value in
        guard let text = value.known else { return value }
        return seal(text, of: person, at: position, field: field)
      }
      return sealed.jsonBytes
    } catch {
      preconditionFailure("sealing makes no malformed text: \(error)")
    }
  }

  /// The metadata of an event as it is stored.
  mutating func metadata(of request: CommandRequest, at position: Position, level: Int) -> [UInt8] {
    guard let reason = request.reason, level >= FormatLevel.sealed,
      case .of(let stream) = request.principal.actor, stream.kind == .person
    else { return EventMetadata(reason: request.reason.map { .known($0) }).jsonBytes }
    switch seal(reason.value, of: ID(stream.origin), at: position, field: EventMetadata.reasonField)
    {
    case .sealed(let box): return EventMetadata(reason: .sealed(box)).jsonBytes
    case .forgotten: return EventMetadata(reason: .forgotten).jsonBytes
    case .known: return EventMetadata(reason: .known(reason)).jsonBytes
    }
  }
}

/// What stands beside a fact.
struct EventMetadata: JSONRecord {
  static let reasonField = "reason"
  static let empty = Array("{}".utf8)

  /// Why, in the words of who sent the command.
  var reason: Personal<Text>?
}

/// Directly: every event that is stored has one.
extension EventMetadata: JSONWritable {
  func write(to json: inout JSONWriter) {
    json.openObject()
    json.optional("reason", reason)
    json.closeObject()
  }
}
