// What was last seen of each log, and which log each API had, kept outside of them: so that a log
// that was rewritten, or put in the place of another, is found by whoever looks again.

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
  }

  struct Place: Codable, Equatable {
    var api: String
    var log: String
  }

  var logs: [Log] = []
  var places: [Place] = []

  static func load(_ around: Surroundings) -> HeadMemory {
    guard let bytes = try? PrivateFile.read(around.headsFile) else { return HeadMemory() }
    return (try? HeadMemory(jsonBytes: bytes)) ?? HeadMemory()
  }

  /// The log that answered there last.
  func log(at api: String) -> String? { places.first { $0.api == api }?.log }

  func head(of log: String) -> HeadWitness? { logs.first { $0.log == log }?.head }

  func head(at api: String) -> HeadWitness? { log(at: api).flatMap(head(of:)) }

  mutating func keep(_ log: String, at api: String) {
    places.removeAll { $0.api == api }
    places.append(Place(api: api, log: log))
    places = places.suffix(Self.mostLogs)
  }

  mutating func keep(_ head: HeadWitness, of log: String) {
    logs.removeAll { $0.log == log }
    logs.append(Log(log: log, head: head))
    logs = logs.suffix(Self.mostLogs)
  }

  mutating func forget(_ api: String) {
    if let log = log(at: api) { logs.removeAll { $0.log == log } }
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
