// What was last seen of each era of each log, and which of them each API had, kept outside of them: so that
// a log that was rewritten, or put in the place of another, is found by whoever looks again. What is seen of a
// copy that began an era of its own elsewhere, as a drill with a backup does, is no news of the original.

import Hosting
import Wire

struct HeadMemory: JSONRecord, Equatable {
  /// Of more logs than these, the ones longest unseen are forgotten.
  static let mostLogs = 500

  struct Log: Codable, Equatable {
    /// As signed heads name it: `wharf/3ccf…`, made from the cluster secret. Not from the log's first event:
    /// whoever rewrote it from its beginning would make it another log, which is told and is no alarm. So two
    /// systems with one secret are one log here, and whoever uses both is alarmed: each needs its own.
    var log: String
    var head: HeadWitness
    /// The furthest of them that was given out with a seal, to be shown again.
    var sealed: SealedHead?
  }

  struct Place: Codable, Equatable {
    var api: String
    var log: String
    /// The era that was seen last there; absent from a memory of before.
    var era: Position?
  }

  var logs: [Log] = []
  var places: [Place] = []

  static func load(_ around: Surroundings) -> HeadMemory {
    guard let bytes = try? PrivateFile.read(around.headsFile) else { return HeadMemory() }
    return (try? HeadMemory(jsonBytes: bytes)) ?? HeadMemory()
  }

  /// The log that answered there last.
  func log(at api: String) -> String? { places.first { $0.api == api }?.log }

  private func head(of log: String, era: Position) -> HeadWitness? {
    logs.first { $0.log == log && $0.head.era == era }?.head
  }

  func head(at api: String) -> HeadWitness? {
    guard let place = places.first(where: { $0.api == api }) else { return nil }
    if let era = place.era { return head(of: place.log, era: era) }
    return logs.last { $0.log == place.log }?.head
  }

  /// What whoever answers there is shown.
  func sealed(at api: String) -> SealedHead? {
    guard let place = places.first(where: { $0.api == api }) else { return nil }
    return logs.last { $0.log == place.log && (place.era ?? $0.head.era) == $0.head.era }?.sealed
  }

  /// What a reply of an era is to be compared with: what was seen at its address, or else of its era
  /// anywhere.
  func known(of log: String, at api: String, seeing era: Position) -> HeadWitness? {
    if self.log(at: api) == log, let own = head(at: api) { return own }
    return head(of: log, era: era)
  }

  mutating func keep(_ log: String, at api: String) {
    guard self.log(at: api) != log else { return }
    places.removeAll { $0.api == api }
    places.append(Place(api: api, log: log))
    places = places.suffix(Self.mostLogs)
  }

  mutating func keep(
    _ head: HeadWitness, of log: String, at api: String, _ given: SealedHead? = nil
  ) {
    var sealed = logs.last { $0.log == log && $0.head.era == head.era }?.sealed
    sealed.take(given, believed: head)
    logs.removeAll { $0.log == log && $0.head.era == head.era }
    logs.append(Log(log: log, head: head, sealed: sealed))
    logs = logs.suffix(Self.mostLogs)
    places.removeAll { $0.api == api }
    places.append(Place(api: api, log: log, era: head.era))
    places = places.suffix(Self.mostLogs)
  }

  /// Which era answers at a known place, where that is not known yet.
  mutating func settle(_ era: Position, at api: String) {
    guard let index = places.firstIndex(where: { $0.api == api }), places[index].era == nil else {
      return
    }
    places[index].era = era
  }

  mutating func forget(_ api: String) {
    if let log = log(at: api), let era = head(at: api)?.era {
      logs.removeAll { $0.log == log && $0.head.era == era }
    }
    places.removeAll { $0.api == api }
  }

  /// Not being able to remember is no reason to fail.
  func save(_ around: Surroundings) { try? PrivateFile.write(around.headsFile, jsonBytes) }
}

/// What a newly seen head is, next to the one remembered.
enum HeadJudgement: Equatable {
  /// To be remembered.
  case newer
  /// Known, or of a wharfd that is behind.
  case known
  /// To be remembered, and told: the log was restored, or a standby promoted. With what was seen of
  /// the old one and is gone.
  case newEra(lost: String?)
  /// Both cannot be of one log.
  case rewritten(String)

  /// `mustReach`: the answer was asked to be at the remembered head or past it, or comes from a
  /// leader that says it is not there.
  static func of(
    _ seen: HeadWitness, after known: HeadWitness?, mustReach: Bool, echo: SeenEcho? = nil
  ) -> Self {
    guard let known else { return .newer }
    if let contradiction = known.contradiction(in: seen, echo) { return .rewritten(contradiction) }
    if seen.era > known.era {
      return .newEra(lost: known.position < seen.era ? nil : "\(seen.era) to \(known.position)")
    }
    let place = "position \(known.position) of era \(known.era)"
    if seen.era < known.era {
      return seen.position < known.position && !mustReach
        ? .known : .rewritten("\(place) was seen before, and is now in era \(seen.era)")
    }
    if seen.position > known.position { return .newer }
    if seen.position == known.position {
      return seen.hash == known.hash
        ? .known
        : .rewritten("\(place) had the hash \(known.hash), and has now \(seen.hash)")
    }
    return mustReach
      ? .rewritten("\(place) was seen before, and now the log ends at \(seen.position)") : .known
  }
}
