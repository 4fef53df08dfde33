// What concerns the log itself: eras, leadership, marks, and commands that changed nothing.

import HashTreeCollections

package struct LogState: Equatable, Sendable, SnapshotValue {
  /// Where the current era began, and in which database; none in an empty log.
  package var era: Era?
  /// The wharfd that leads, as far as the log says.
  package var leader: Leadership?
  /// What the log may hold, and so what a reader must be able to read.
  package var formatLevel = FormatLevel.first
  /// Tells the secret that the wharfd of this system share; none in a log from before it was told.
  package var secretFingerprint: Digest?
  package var marks: TreeDictionary<String, Mark> = [:]
  /// Until then there may be processes of gateways that hold leases and that the log does not name: it was
  /// put back to an earlier state, or could not name them before. None: it names all.
  package var unnamedUntil: Timestamp?

  /// From a moment on processes are named; what was given before it has its time.
  mutating func beginNaming(at moment: Timestamp, graceSeconds: Int) {
    let span = Leases.widened(
      .seconds(Leases.touchSeconds + Leases.policySeconds + graceSeconds))
    unnamedUntil = moment.adding(seconds: span.components.seconds + 1)
  }
}

/// A span of the log written into one database. After a restore or the promotion of a standby old
/// positions may hold other facts, so a new era begins.
package struct Era: Equatable, Sendable, SnapshotValue {
  package let position: Position
  package let database: DatabaseIdentity
}

/// Which database a log is written into. A dump that was restored, also into the same cluster or the
/// same database, differs in one of these; so does a standby that was promoted.
package struct DatabaseIdentity: Codable, Equatable, Sendable, CustomStringConvertible,
  CanonicallyRead, JSONWritable, SnapshotValue
{
  /// PostgreSQL's own, made by initdb.
  package let systemIdentifier: String
  /// Raised by every promotion and point-in-time recovery.
  package let timeline: Int
  /// The object numbers of the database and of the table of events.
  package let database: Int64
  package let table: Int64

  package init(
    systemIdentifier: String, timeline: Int, database: Int64 = 0, table: Int64 = 0
  ) {
    self.systemIdentifier = systemIdentifier
    self.timeline = timeline
    self.database = database
    self.table = table
  }

  package var description: String {
    "system \(systemIdentifier), timeline \(timeline), database \(database), table \(table)"
  }
}

/// Who leads: the position of its `leadershipTaken` is the epoch.
package struct Leadership: Equatable, Sendable, SnapshotValue {
  package let epoch: Position
  package let instance: String
  package let address: String
  package var takenAt: Timestamp
  /// After how long a silence it takes a node for lost, by which its agents' leases go; none where the
  /// log is from before that was told.
  package var nodeLostSeconds: Int?
  /// The longest such silence of the leaders before it whose leases may hold still: before it has led
  /// for so long, it loses no node.
  package var inheritedSeconds = 0

  /// The same of the leader that follows on this one at a moment.
  fileprivate func inherited(at moment: Timestamp) -> Int {
    let isOver = moment.seconds(since: takenAt) >= Double(inheritedSeconds)
    return max(nodeLostSeconds ?? 0, isOver ? 0 : inheritedSeconds)
  }
}

/// A position with a name.
package struct Mark: Equatable, Sendable, SnapshotValue {
  package let name: Name
  package let position: Position
  package let markedAt: Timestamp
}

// MARK: Events

package enum LogEvents {
  static let types: [any Event.Type] = [
    EraBegan.self, LeadershipTaken.self, CommandNoted.self, MarkPlaced.self,
    FormatLevelRaised.self, ClusterSecretRecorded.self,
  ]
}

package struct EraBegan: Event {
  package static let type = "eraBegan"
  package let database: DatabaseIdentity

  package init(database: DatabaseIdentity) { self.database = database }

  package func evolve(_ state: inout HostingState, _ fact: Fact) {
    if state.log.era != nil {
      state.log.beginNaming(
        at: fact.recordedAt, graceSeconds: state.longestGraceSeconds(since: .empty))
    }
    state.log.era = Era(position: fact.position, database: database)
  }
}

package struct LeadershipTaken: Event {
  package static let type = "leadershipTaken"
  package let instance: String
  /// Where the leader's API answers, for followers that forward.
  package let address: String
  /// Left out below format level 3.
  package let nodeLostSeconds: Int?

  package init(instance: String, address: String, nodeLostSeconds: Int? = nil) {
    self.instance = instance
    self.address = address
    self.nodeLostSeconds = nodeLostSeconds
  }

  package func evolve(_ state: inout HostingState, _ fact: Fact) {
    state.log.leader = Leadership(
      epoch: fact.position, instance: instance, address: address, takenAt: fact.recordedAt,
      nodeLostSeconds: nodeLostSeconds,
      inheritedSeconds: state.log.leader?.inherited(at: fact.recordedAt) ?? 0)
  }
}

/// Which secret the wharfd of this system share from here on: what was sealed with another one, they
/// cannot tell. A fingerprint is a seal of its own, and says nothing of the secret.
package struct ClusterSecretRecorded: Event {
  package static let type = "clusterSecretRecorded"
  package static let formatLevel = 2
  package let fingerprint: Digest

  package init(fingerprint: Digest) { self.fingerprint = fingerprint }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    // The keys of their engines were made with it.
    if let before = state.log.secretFingerprint, before != fingerprint {
      let made = state.attempts.values.filter { $0.isWanted }.map(\.id)
      try state.recounting(made) { $0.lostSecretAttempts = TreeSet(made) }
    }
    state.log.secretFingerprint = fingerprint
  }
}

/// A command was accepted and changed nothing: its id is kept all the same.
package struct CommandNoted: Event {
  package static let type = "commandNoted"
  package let command: String

  package init(command: String) { self.command = command }

  package func evolve(_ state: inout HostingState, _ fact: Fact) {}
}

package struct MarkPlaced: Event {
  package static let type = "markPlaced"
  package let name: Name
  /// The position that is named: the head when the command was decided, or an earlier one.
  package let position: Position

  package func evolve(_ state: inout HostingState, _ fact: Fact) {
    state.log.marks[name.key] = Mark(name: name, position: position, markedAt: fact.recordedAt)
  }
}

// MARK: Commands

package enum LogCommands {
  static let types: [any Command.Type] = [
    PlaceMark.self, TakeLeadership.self, BeginEra.self, RaiseFormatLevel.self,
    RecordClusterSecret.self,
  ]
}

/// Names a position: the head, unless an earlier one is given.
package struct PlaceMark: Command {
  package static let type = "mark.place"
  package let name: Name
  package let position: Position?

  package init(name: Name, position: Position? = nil) {
    self.name = name
    self.position = position
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    // Where a moment is asked for it would stand for another one, or never be found.
    guard !AskedMoment.mayBegin(with: name.text) else {
      throw Refusal(
        "markIsMoment", "cannot mark as '\(name)': that reads as a position or a time",
        help: "begin the name with a letter, as in before-\(name)")
    }
    if let mark = state.log.marks[name.key] {
      throw Refusal(
        "nameTaken", "there is already a mark named '\(name)', at position \(mark.position)",
        help: "a mark never moves: choose another name")
    }
    let wanted = position ?? state.position
    guard wanted <= state.position else {
      throw Refusal(
        "positionAhead", "cannot mark position \(wanted): the log ends at \(state.position)",
        help: "leave the position out to mark the head")
    }
    decision.record(MarkPlaced(name: name, position: wanted), on: .log)
  }
}

/// A wharfd takes the lead. In an empty log, or after `recover`, an era begins with it.
package struct TakeLeadership: Command {
  package static let type = "log.takeLeadership"
  package static let allowed: Set<Role> = [.system]
  package let instance: String
  package let address: String
  /// The database that is written into.
  package let database: DatabaseIdentity
  /// What this wharfd reads: an empty log begins at it.
  package let formatLevel: Int
  /// Of the secret that this wharfd was given.
  package let secretFingerprint: Digest?
  /// After how long a silence it takes a node for lost.
  package let nodeLostSeconds: Int?

  package init(
    instance: String, address: String, database: DatabaseIdentity,
    formatLevel: Int = FormatLevel.current, secretFingerprint: Digest? = nil,
    nodeLostSeconds: Int? = nil
  ) {
    self.nodeLostSeconds = nodeLostSeconds
    self.instance = instance
    self.address = address
    self.database = database
    self.formatLevel = formatLevel
    self.secretFingerprint = secretFingerprint
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    if let recorded = state.log.secretFingerprint, let secretFingerprint,
      secretFingerprint != recorded
    {
      throw Refusal(
        "otherSecret", "cannot lead: this wharfd has another secret than the log says",
        help: "give it the secret of the others; if it is lost: wharfd recover --new-secret")
    }
    if state.log.era == nil { decision.record(EraBegan(database: database), on: .log) }
    var level = state.log.formatLevel
    if state.position == .empty, formatLevel > level {
      decision.record(FormatLevelRaised(level: formatLevel), on: .log)
      level = formatLevel
    }
    if let secretFingerprint, state.log.secretFingerprint == nil,
      level >= ClusterSecretRecorded.formatLevel
    {
      decision.record(ClusterSecretRecorded(fingerprint: secretFingerprint), on: .log)
    }
    decision.record(
      LeadershipTaken(
        instance: instance, address: address,
        nodeLostSeconds: level >= FormatLevel.kept ? nodeLostSeconds : nil), on: .log)
  }
}

/// On a person's word the log goes on in another database than the one it was written into: what
/// stood at later positions there is gone, and whoever saw it must be told.
package struct BeginEra: Command {
  package static let type = "log.beginEra"
  package static let allowed: Set<Role> = [.system]
  package let database: DatabaseIdentity
  /// Of a new secret, where the old one is lost.
  package let secretFingerprint: Digest?

  package init(database: DatabaseIdentity, secretFingerprint: Digest? = nil) {
    self.database = database
    self.secretFingerprint = secretFingerprint
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    decision.record(EraBegan(database: database), on: .log)
    // A log of before says nothing of secrets, and takes any.
    if let secretFingerprint, state.log.formatLevel >= ClusterSecretRecorded.formatLevel {
      decision.record(ClusterSecretRecorded(fingerprint: secretFingerprint), on: .log)
    }
  }
}

/// On a person's word the log goes on with another secret, since the one before is lost.
package struct RecordClusterSecret: Command {
  package static let type = "log.recordClusterSecret"
  package static let allowed: Set<Role> = [.system]
  package let fingerprint: Digest

  package init(fingerprint: Digest) { self.fingerprint = fingerprint }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard state.log.secretFingerprint != fingerprint else { return }
    decision.record(ClusterSecretRecorded(fingerprint: fingerprint), on: .log)
  }
}
