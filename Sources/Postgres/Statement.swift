// The statement that a connection is busy with.

/// sending ──▶ awaiting results ──▶ settled
///     │               │ cancelled, or past its deadline
///     │               ▼
///     └───────▶ stopping (the server is asked to end it, for `cancelGrace`)
///                     ├─ the server answers ──▶ settled; the connection is fine
///                     └─ silence ──▶ given up; the connection is broken
struct Statement {
  enum Stop {
    case cancelled
    case timedOut
    /// The caller of a stream of rows threw.
    case abandoned
  }

  /// What the server loses when the connection dies.
  enum Scope {
    /// Commits by itself, so without an answer its outcome is unknown.
    case alone
    /// Part of an open transaction, which the server rolls back.
    case inTransaction
    case commit
    case rollback
  }

  let sql: String
  let scope: Scope
  let timeout: Duration?
  var deadline: ContinuousClock.Instant?
  /// Each piece of the result that arrives starts the timeout anew.
  let isStream: Bool
  /// The server has the whole of it.
  var isSent = false
  /// The entry in the cache under which the server has it prepared.
  var prepared: StatementCache.Key?
  var stop: Stop?
  var cancelRequest: CancelRequest?

  init(_ sql: String, scope: Scope, timeout: Duration?, isStream: Bool) {
    self.sql = sql
    self.scope = scope
    self.timeout = timeout
    self.isStream = isStream
    deadline = timeout.map { ContinuousClock.now + $0 }
  }

  /// Ending a transaction is not interrupted: cancelling it would only make its outcome unclear.
  var isShielded: Bool {
    switch scope {
    case .commit, .rollback: true
    case .alone, .inTransaction: false
    }
  }

  var isOutcomeUnknownWhenLost: Bool {
    switch scope {
    case .alone, .commit: isSent
    case .inTransaction, .rollback: false
    }
  }

  /// What it means that the connection died under this statement, or was given up.
  func lossKind(_ kind: PostgresError.Kind) -> PostgresError.Kind {
    switch scope {
    case .commit: isSent ? .outcomeUnknown : kind
    case .alone, .inTransaction, .rollback: kind
    }
  }
}
