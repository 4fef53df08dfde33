// A batch: commands decided one after another on the state at the head plus what was decided before
// them in the same batch. Pure; the writer appends its rows as one statement.

import Hosting

package struct Batch {
  /// At most this many commands are decided into one statement.
  package static let commandLimit = 256

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
  private(set) var outcomes: [Decided] = []
  /// The first of its rows, as they are sent.
  private var copied: CopiedRows?
  private var trial: Trial
  /// The hash after the last row.
  package private(set) var hash: Digest
  /// The keys after the last row; those made here belong into the statement that stores the rows.
  package private(set) var sealing: Sealing
  private var rowsByID: [CommandID: (rows: Range<Int>, seal: Digest)] = [:]

  package init(
    _ commands: [PendingCommand], after state: HostingState, hash: Digest, now: Timestamp,
    sealing: Sealing
  ) {
    trial = Trial(after: state)
    self.sealing = sealing
    self.hash = hash
    append(commands, now: now)
  }

  /// The state after the last row.
  package var state: HostingState { trial.state }

  /// Decides more commands after those that are in the batch.
  mutating func append(_ commands: [PendingCommand], now: Timestamp) {
    for pending in commands {
      outcomes.append(Decided(pending: pending, outcome: decide(pending, now: now)))
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

  /// Why commands led to no row.
  package var refusals: [SubmitFailure] { refused.map(\.failure) }

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
  func follows(_ position: Position) -> Bool { trial.base.position == position }

  private mutating func decide(_ pending: PendingCommand, now: Timestamp) -> Outcome {
    let request = pending.request
    if let known = rowsByID[request.id] {
      return known.seal == pending.seal
        ? .accepted(known.rows)
        : .failed(.idUsedOtherwise(at: rows[known.rows.lowerBound].position))
    }
    let level = trial.state.log.formatLevel
    let step: Trial.Step
    do {
      // wharfd decides again and again by itself: were it noted that this changed nothing, it would note
      // without end.
      step = try trial.perform(
        request.command, by: request.principal, now: now, unchangedSince: request.unchangedSince,
        notes: request.principal.actor != .wharfd)
    } catch {
      return .failed(.refused(error, at: trial.state.position))
    }
    if step.events.isEmpty { return .failed(.changesNothing(at: trial.state.position)) }
    return .accepted(add(step, of: pending, level: level))
  }

  /// - Parameter level: the format level before its events.
  private mutating func add(
    _ step: Trial.Step, of pending: PendingCommand, level: Int
  ) -> Range<Int> {
    let request = pending.request
    let first = rows.count
    for (index, event) in step.events.enumerated() {
      let position = step.first + index
      var row = StoredEvent(
        position: position, stream: event.stream, type: type(of: event.body).type,
        schemaVersion: type(of: event.body).schemaVersion,
        data: sealing.data(of: event, at: position),
        metadata: sealing.metadata(of: request, at: position, level: level), commandID: request.id,
        commandHash: index == 0 ? pending.seal : nil,
        correlationID: request.correlationID, causation: request.causation,
        actor: step.actor, recordedAt: step.recordedAt, hash: .zero)
      hash = Chain.hash(of: row, after: hash)
      row.hash = hash
      rows.append(row)
    }
    rowsByID[request.id] = (first..<rows.count, pending.seal)
    return first..<rows.count
  }
}
