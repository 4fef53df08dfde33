// The keys of persons that this program has at hand, for all who read the log in it.
//
// A key is in the database as soon as an event that was sealed with it, since one statement stores both.
// So a reader first has its events, then asks here for the keys it lacks, and who still has none is
// forgotten. A reader that reads in one go, by COPY, asks before, in the same snapshot of the database.
//
// A person who is known to be forgotten is so at once and for ever in this program, whatever the database
// still holds.

import Hosting
import Postgres
import Synchronization

package final class PersonKeys: Sendable {
  private struct Contents {
    var entries: [ID<Person>: Sealing.Entry] = [:]
    var forgotten: Set<ID<Person>> = []
    var lastForgotten = Position.empty
    var unopened: Set<ID<Person>> = []
  }

  private let contents = Mutex(Contents())
  private let vault: VaultKey?

  package init(_ secret: ClusterSecret) { vault = VaultKey(secret) }

  private init() { vault = nil }

  /// Opens nothing: for who has not the cluster secret, and needs only that the log folds.
  package static var none: PersonKeys { PersonKeys() }

  // MARK: Having keys at hand

  /// Gets the keys that these events' fields need, over the connection that they were read with.
  ///
  /// - Parameter reasons: also those of who acted, whose words stand beside the facts.
  package func prepare(
    _ events: [StoredEvent], reasons: Bool = false, _ connection: inout Connection
  ) throws {
    guard vault != nil else { return }
    var wanted: Set<ID<Person>> = []
    for event in events {
      if event.stream.kind == .person { wanted.insert(ID(event.stream.origin)) }
      if reasons, event.metadata.count > EventMetadata.empty.count,
        case .of(let actor) = event.actor, actor.kind == .person
      {
        wanted.insert(ID(actor.origin))
      }
    }
    guard !wanted.isEmpty else { return }
    let missing = contents.withLock { contents in
      wanted.filter { contents.entries[$0] == nil && !contents.forgotten.contains($0) }
    }
    guard !missing.isEmpty else { return }
    try take(connection.query(VaultStatements.keys(of: missing.sorted())))
  }

  /// Gets every key that there is.
  package func prepareAll(
    _ connection: inout Connection, timeout: Duration? = nil
  ) throws {
    guard vault != nil else { return }
    try take(connection.query(VaultStatements.allKeys, timeout: timeout))
  }

  private func take(_ rows: Rows) throws {
    guard let vault else { return }
    for index in 0..<rows.count {
      let row = rows[index]
      let person = ID<Person>(Position(try row.decode(Int64.self, at: 0)))
      guard let wrapped = try row.decode([UInt8]?.self, at: 1) else {
        forget(person, at: Position(try row.decode(Int64?.self, at: 2) ?? 0))
        continue
      }
      if contents.withLock({ $0.entries[person] != nil }) { continue }
      guard let key = vault.unwrap(wrapped, of: person) else {
        throw LogError.foreignKey(person: person.description)
      }
      add(key, of: person)
    }
  }

  private func add(_ key: PersonKey, of person: ID<Person>) {
    contents.withLock { contents in
      // Read before it was forgotten, and only now here.
      guard !contents.forgotten.contains(person) else { return }
      contents.entries[person] = .key(key)
    }
  }

  /// Keys that were stored a moment ago.
  func add(_ new: [Sealing.NewKey]) { for made in new { add(made.key, of: made.person) } }

  /// What a batch that is decided now seals with. Complete only for who leads: see `prepareAll`.
  package func sealing(makeKey: @escaping @Sendable () -> [UInt8]) -> Sealing {
    Sealing(entries: contents.withLock { $0.entries }, vault: vault, makeKey: makeKey)
  }

  /// What is decided while a batch is under way seals with.
  func sealing(behind batch: Sealing) -> Sealing {
    batch.settled(among: contents.withLock { $0.entries })
  }

  // MARK: Forgetting

  /// From here on this person's data opens nowhere in this program.
  package func forget(_ person: ID<Person>, at position: Position) {
    contents.withLock { contents in
      contents.entries[person] = .destroyed
      contents.forgotten.insert(person)
      contents.lastForgotten = max(contents.lastForgotten, position)
    }
  }

  /// Everyone whom a state knows to be forgotten.
  package func forgetThose(in state: HostingState) {
    for (person, position) in state.forgotten { forget(person, at: position) }
  }

  /// Whose key is not here, though something of theirs was sealed with it: the log was imported or
  /// restored without its keys. They never get another one, which would not open what there is.
  func giveUpMissing(in state: HostingState) {
    contents.withLock { contents in
      let missing = state.persons.sorted.filter { $0.name == .forgotten }.map(\.id)
      for person in contents.unopened.union(missing) where contents.entries[person] == nil {
        contents.entries[person] = .destroyed
      }
    }
  }

  /// Notes what an event says about keys.
  func note(_ event: StoredEvent) {
    guard event.stream.kind == .person, event.type == PersonForgotten.type else { return }
    forget(ID(event.stream.origin), at: event.position)
  }

  /// What was made of opened data before this position may show who was forgotten there.
  package var lastForgotten: Position { contents.withLock { $0.lastForgotten } }

  // MARK: Opening

  /// Of whom something sealed was met here that no key was at hand for.
  var unopened: Set<ID<Person>> { contents.withLock { $0.unopened } }

  /// The event with its personal fields open or forgotten.
  func opened(_ event: any HoldsPersonal, in stored: StoredEvent) throws(LogError) -> any Event {
    do {
      return try event.changingPersonal { field, value in
        try open(value, of: ID(stored.stream.origin), at: stored.position, field: field)
      }
    } catch let error as LogError {
      throw error
    } catch {
      throw .unreadable(position: stored.position, reason: "\(error)")
    }
  }

  /// - Parameter owner: whose a value is that stands there as it is.
  private func open(
    _ value: Personal<String>, of owner: ID<Person>, at position: Position, field: String
  ) throws(LogError) -> Personal<String> {
    var person = owner
    if case .sealed(let box) = value { person = box.of }
    let (entry, isForgotten) = contents.withLock {
      ($0.entries[person], $0.forgotten.contains(person))
    }
    guard !isForgotten else { return .forgotten }
    guard case .sealed(let box) = value else { return value }
    guard case .key(let key) = entry else {
      if entry == nil { contents.withLock { _ = $0.unopened.insert(person) } }
      return .forgotten
    }
    guard let text = key.open(box, at: position, field: field) else {
      throw .unreadable(
        position: position, reason: "its \(field) was not sealed with the key of \(person)")
    }
    return .known(text)
  }

  /// Why the command of an event was sent, in the words of who sent it; none where nothing was said.
  package func reason(of event: StoredEvent) throws(LogError) -> Personal<Text>? {
    guard event.metadata.count > EventMetadata.empty.count else { return nil }
    let metadata: EventMetadata
    do { metadata = try EventMetadata(jsonBytes: event.metadata) } catch { return nil }
    guard case .of(let actor) = event.actor, actor.kind == .person else { return metadata.reason }
    do {
      return try metadata.reason?.changed { value in
        try open(
          value, of: ID(actor.origin), at: event.position, field: EventMetadata.reasonField)
      }
    } catch let error as LogError {
      throw error
    } catch {
      throw .unreadable(position: event.position, reason: "\(error)")
    }
  }

  /// `data` and `metadata` as they are shown to people.
  package func shown(
    _ event: StoredEvent
  ) throws(LogError) -> (data: [UInt8], metadata: [UInt8]) {
    var (data, metadata) = (event.data, event.metadata)
    if event.stream.kind == .person, let holder = try event.decoded() as? any HoldsPersonal {
      data = try opened(holder, in: event).jsonBytes
    }
    if let reason = try reason(of: event) { metadata = EventMetadata(reason: reason).jsonBytes }
    return (data, metadata)
  }
}
