// A batch: commands decided one after another on the state at the head plus what was decided before
// them in the same batch. Pure; the writer appends its rows as one statement.

import Hosting

package struct Batch {
  /// At most this many commands are decided into one statement.
  package static let commandLimit = 256
  /// At most this many events come of one command, so that its events are found by its first.
  static let eventsPerCommandLimit = 1_024

  enum Outcome {
    /// Accepted: the indexes of its rows.
    case accepted(Range<Int>)
    case failed(SubmitFailure)
  }

  /// A command, and what became of it.
  struct Decided {
    let pending: PendingCommand
    let outcome: Outcome
  }

  package private(set) var rows: [StoredEvent] = []
  /// What the rows are made of, before personal data was sealed.
  private var bodies: [any Event] = []
  private(set) var outcomes: [Decided] = []
  /// The first of its rows, as they are sent.
  private var copied: CopiedRows?
  /// The state and the hash after the last row.
  package private(set) var state: HostingState
  package private(set) var hash: Digest
  /// The keys after the last row; those made here belong into the statement that stores the rows.
  package private(set) var sealing: Sealing
  /// The state before the first row.
  private let base: HostingState
  private var rowsByID: [CommandID: (rows: Range<Int>, seal: Digest)] = [:]

  package init(
    _ commands: [PendingCommand], after state: HostingState, hash: Digest, now: Timestamp,
    sealing: Sealing
  ) {
    base = state
    self.sealing = sealing
    self.state = state
    self.hash = hash
    append(commands, now: now)
  }

  /// Decides more commands after those that are in the batch.
  mutating func append(_ commands: [PendingCommand], now: Timestamp) {
    for pending in commands {
      outcomes.append(
        Decided(pending: pending, outcome: decide(pending, now: max(now, state.recordedAt))))
    }
  }

  /// Those that led to no row, and why.
  var refused: [(pending: PendingCommand, failure: SubmitFailure)] {
    outcomes.compactMap { decided in
      switch decided.outcome {
      case .accepted: nil
      case .failed(let failure): (decided.pending, failure)
      }
    }
  }

  /// Writes those rows that are not written yet as they are sent: worth it while there is nothing else
  /// to do.
  mutating func copyRows() {
    guard rows.count >= LogStatements.copyFromRows else { return }
    var copied = self.copied.take() ?? CopiedRows(expectedRows: Self.commandLimit)
    copied.add(rows[copied.count...])
    self.copied = copied
  }

  /// The rows as data of one COPY.
  var copyData: [UInt8] {
    var copied = self.copied ?? CopiedRows(expectedRows: rows.count)
    copied.add(rows[copied.count...])
    return copied.data
  }

  /// Whether this batch can follow that place in the log.
  func follows(_ position: Position) -> Bool { base.position == position }

  private mutating func decide(_ pending: PendingCommand, now: Timestamp) -> Outcome {
    let request = pending.request
    if let known = rowsByID[request.id] {
      return known.seal == pending.seal
        ? .accepted(known.rows)
        : .failed(.idUsedOtherwise(at: rows[known.rows.lowerBound].position))
    }
    var events: [NewEvent]
    do {
      events = try state.decide(
        request.command, by: request.principal, now: now, unchangedSince: request.unchangedSince)
    } catch {
      return .failed(.refused(error, at: state.position))
    }
    if events.isEmpty {
      // People are told where in the log their wish was found to be so already. wharfd decides again and
      // again by itself: were that noted, it would note without end.
      if request.principal.actor == .wharfd {
        return .failed(.changesNothing(at: state.position))
      }
      events = [
        NewEvent(stream: .log, body: CommandNoted(command: type(of: request.command).type))
      ]
    }
    guard events.count <= Self.eventsPerCommandLimit else {
      return .failed(
        .refused(
          Refusal(
            "tooManyEvents",
            "\(CommandWords.told(type(of: request.command))) would lead to \(events.count) events, more than "
              + "the \(Self.eventsPerCommandLimit) of one command",
            help: "send it in parts"), at: state.position))
    }
    return add(events, of: pending, now: now)
  }

  private mutating func add(
    _ events: [NewEvent], of pending: PendingCommand, now: Timestamp
  ) -> Outcome {
    let request = pending.request
    let first = rows.count
    let sealingBefore = sealing
    let level = state.log.formatLevel
    var head = hash
    for event in events {
      let position = state.position.next
      var row = StoredEvent(
        position: position, stream: event.stream, type: type(of: event.body).type,
        schemaVersion: type(of: event.body).schemaVersion,
        data: sealing.data(of: event, at: position),
        metadata: sealing.metadata(of: request, at: position, level: level), commandID: request.id,
        commandHash: rows.count == first ? pending.seal : nil,
        correlationID: request.correlationID, causation: request.causation,
        actor: request.principal.actor, recordedAt: now, hash: .zero)
      row.hash = Chain.hash(of: row, after: head)
      do { try state.evolve(event.body, row.fact) } catch {
        // A fault of ours in `decide`: nothing of this command is stored, the others go on.
        takeBack(to: first)
        sealing = sealingBefore
        return .failed(
          .refused(
            Refusal(
              "contradiction",
              "\(CommandWords.told(type(of: request.command))) led to an event that does not fit: \(error)",
              help: "report this as a fault of Wharf"), at: state.position))
      }
      head = row.hash
      rows.append(row)
      bodies.append(event.body)
    }
    hash = head
    rowsByID[request.id] = (first..<rows.count, pending.seal)
    return .accepted(first..<rows.count)
  }

  /// Folds anew up to a row. A state kept beside for this would cost every command a copy of what it
  /// changes.
  private mutating func takeBack(to count: Int) {
    copied = nil
    rows.removeSubrange(count...)
    bodies.removeSubrange(count...)
    state = base
    for (row, body) in zip(rows, bodies) {
      do { try state.evolve(body, row.fact) } catch {
        preconditionFailure("what was folded folds again: \(error)")
      }
    }
  }
}
