// What commands would lead to: decided one after another as a batch of them is, and not stored.

import Hosting
import Postgres

package struct DryRun: Sendable {
  package enum Step: Sendable {
    /// In the log already, by this very command.
    case earlier(Receipt)
    case would([StoredEvent])
  }

  package private(set) var steps: [Step] = []
  /// Why the command after these has none; those behind it are not looked at.
  package private(set) var failure: SubmitFailure?
  /// The state after them.
  package private(set) var state: HostingState

  /// - Parameter known: what is in the log under the ids of the commands.
  package init(
    _ requests: [CommandRequest], after state: HostingState, known: [CommandID: Receipt],
    secret: ClusterSecret, now: Timestamp
  ) {
    // No hash is shown of what is not stored, so any one will do to begin with.
    var batch = Batch([], after: state, hash: .zero, now: now, sealing: .open)
    self.state = state
    for request in requests {
      let seal = request.seal(secret)
      if let receipt = known[request.id] {
        guard receipt.events[0].commandHash == seal else {
          failure = .idUsedOtherwise(at: receipt.events[0].position)
          break
        }
        steps.append(.earlier(receipt))
        continue
      }
      let pending = PendingCommand(request: request, seal: seal)
      batch.append([pending], now: now)
      switch batch.outcomes[batch.outcomes.count - 1].outcome {
      case .accepted(let rows): steps.append(.would(Array(batch.rows[rows])))
      case .failed(let reason): failure = reason
      }
      if failure != nil { break }
    }
    self.state = batch.state
  }
}

extension LogReader {
  /// What commands led to, of those whose ids are in the log.
  package func receipts(of ids: [CommandID]) async throws -> [CommandID: Receipt] {
    if ids.isEmpty { return [:] }
    return try await withConnection { connection in
      let rows = try connection.query(LogStatements.read(commands: ids))
      let events = try (0..<rows.count).map { try StoredEvent(rows[$0]) }
      try keys.prepare(events, reasons: true, &connection)
      return Dictionary(grouping: events, by: \.commandID).mapValues { Receipt(events: $0) }
    }
  }
}
