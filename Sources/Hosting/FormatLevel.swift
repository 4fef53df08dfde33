// The format level: one number for what the log may hold. Each wharfd says which level it reads; types
// and versions of events that came with a later level are written only once the log says that nobody
// is left who cannot read them. So wharfd can be replaced one by one, and go back until then.

package enum FormatLevel {
  /// A log that says nothing is at this level.
  package static let first = 1
  /// What this program reads and, where the log allows it, writes. Raised with the first type or
  /// version of an event that the release before cannot read.
  ///
  /// 2: sealed personal data, by whose order an attempt ended (`StopOrder`), `clusterSecretRecorded`.
  /// 3: what `kept` names.
  package static let current = 3
  /// From here on personal data is sealed: invitations are, and what people give as a reason.
  package static let sealed = 2
  /// From here on: tokens that are things of their own, ends of attempts without an engine's words,
  /// and what operators decide on leases and waits.
  package static let kept = 3
}

/// From here on the log may hold what came with this level: every reader must be as new.
package struct FormatLevelRaised: Event {
  package static let type = "formatLevelRaised"
  package let level: Int

  package init(level: Int) { self.level = level }

  package func evolve(_ state: inout HostingState, _ fact: Fact) {
    if level >= FormatLevel.kept, state.log.formatLevel < FormatLevel.kept,
      state.gateways.count > 0
    {
      state.log.beginNaming(at: fact.recordedAt, graceSeconds: 0)
    }
    state.log.formatLevel = level
  }
}

/// A wharfd that was seen a moment ago, and what it reads.
package struct FormatReader: Codable, Hashable, Sendable, JSONWritable {
  package let instance: String
  package let formatLevel: Int

  package init(instance: String, formatLevel: Int) {
    self.instance = instance
    self.formatLevel = formatLevel
  }
}

/// Lets the log hold what came with a level, unless someone lives who could not read it.
package struct RaiseFormatLevel: Command {
  package static let type = "log.raiseFormatLevel"
  package static let allowed: Set<Role> = [.system]
  package let level: Int
  /// Every wharfd that lives.
  package let readers: [FormatReader]

  package init(level: Int, readers: [FormatReader]) {
    self.level = level
    self.readers = readers
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard level >= state.log.formatLevel else {
      throw Refusal(
        "formatLevelFalls",
        "cannot take the log from format level \(state.log.formatLevel) down to \(level): it may "
          + "hold what came with the higher one",
        help: "run a wharfd that reads level \(state.log.formatLevel)")
    }
    let older = readers.filter { $0.formatLevel < level }
    guard older.isEmpty else {
      let named = older.map { "\($0.instance) (reads level \($0.formatLevel))" }
      throw Refusal(
        "olderWharfdLives",
        "cannot raise the log to format level \(level) while an older wharfd lives: "
          + named.joined(separator: ", "),
        help: "replace or stop it, then run again: wharfd finalize")
    }
    guard level > state.log.formatLevel else { return }
    decision.record(FormatLevelRaised(level: level), on: .log)
  }
}

extension LogState {
  /// Refuses events that someone who reads only the log's level could not read.
  func requireReadable(_ events: [NewEvent], of command: any Command.Type) throws(Refusal) {
    guard let needed = events.map({ type(of: $0.body).formatLevel }).max(), needed > formatLevel
    else { return }
    // An empty log is raised by what its first leader records, and by nothing else beside others.
    if let raised = events.lazy.compactMap({ ($0.body as? FormatLevelRaised)?.level }).first,
      raised >= needed
    {
      return
    }
    try require(needed, for: command)
  }

  /// Refuses what an older program could not read, where that is a matter of a field.
  func require(_ needed: Int, for command: any Command.Type) throws(Refusal) {
    guard needed > formatLevel else { return }
    throw Refusal(
      "formatLevelTooLow",
      "\(CommandWords.told(command)) needs format level \(needed), and the log is at \(formatLevel), so that an older "
        + "wharfd can still read it",
      help: "when every wharfd has been replaced, run: wharfd finalize")
  }
}
