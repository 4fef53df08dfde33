// What can go wrong between us and PostgreSQL, told in one clear sentence and without any value.

/// Everything this module throws.
///
/// Neither parameter values, row values nor passwords are ever part of it: the server's DETAIL and
/// CONTEXT are dropped, and the values that class 22 messages quote are withheld.
package struct PostgresError: Error, Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// The URL or connection string cannot be used; trying again will not help.
    case invalidConfiguration
    /// No connection came about: refused, not reachable, not authenticated or too slow.
    case connectionFailed
    /// An established connection died, or was given up earlier.
    case connectionLost
    /// The statement took longer than its timeout.
    case timedOut
    /// The task or token that the statement ran under was cancelled.
    case cancelled
    /// The server refused the statement; see `sqlState`.
    case server
    /// A value in a result is not what was asked for.
    case decoding
    /// The server answered with another kind of result than the call expects.
    case unexpectedResult
    /// A statement of the transaction had failed, so its commit became a rollback.
    case transactionAborted
    /// The connection died while a commit was under way: it may or may not have taken effect.
    case outcomeUnknown
    /// Committed on this server, and not known to be on the standbys that it was to wait for: so it is
    /// until a later commit returns that waited for them.
    case notReplicated
    /// No lane came free in time, or too many were waiting.
    case poolExhausted
    case poolClosed
    /// This machine is out of descriptors, threads or memory.
    case resourceExhausted
  }

  package var kind: Kind
  /// Why it failed, a clause without a full stop.
  package var message: String
  /// What was attempted, such as a shortened statement.
  package var attempted: String
  /// Five characters as in PostgreSQL's appendix A, when the server gave them.
  package var sqlState: String?
  /// The constraint that the server names, such as `events_pkey`.
  package var constraint: String?
  package var hint: String?
  /// The statement was sent outside of a transaction, or it was the commit, and no answer came, or one
  /// that may not last: look before trying again.
  package var isOutcomeUnknown: Bool

  package init(
    _ kind: Kind, _ message: String, attempted: String, sqlState: String? = nil,
    constraint: String? = nil, hint: String? = nil, isOutcomeUnknown: Bool = false
  ) {
    self.kind = kind
    self.message = message
    self.attempted = attempted
    self.sqlState = sqlState
    self.constraint = constraint
    self.hint = hint
    self.isOutcomeUnknown = isOutcomeUnknown
  }
}

extension PostgresError {
  /// Longest piece of a statement that an error shows.
  package static let sqlPreviewCharacters = 120

  package var isUniqueViolation: Bool { sqlState == "23505" }

  /// The server is away, or went while this was done: what may be done twice may succeed once it is back.
  package var isServerAway: Bool {
    switch kind {
    case .connectionFailed, .connectionLost, .outcomeUnknown, .notReplicated: true
    // Its operator ends the connection or the server (57P01 … 57P03).
    case .server, .transactionAborted: sqlState?.hasPrefix("57P") ?? false
    case .invalidConfiguration, .timedOut, .cancelled, .decoding, .unexpectedResult,
      .poolExhausted, .poolClosed, .resourceExhausted:
      false
    }
  }

  /// Serialization failures and deadlocks: the same transaction may succeed when run again.
  package var isRetryableTransaction: Bool { sqlState == "40001" || sqlState == "40P01" }

  /// A statement on one line, at most `sqlPreviewCharacters` long.
  static func preview(_ sql: String) -> String {
    var text = ""
    var length = 0
    var pendingSpace = false
    for character in sql {
      if character.isWhitespace {
        pendingSpace = length > 0
        continue
      }
      if length >= sqlPreviewCharacters { return text + "…" }
      if pendingSpace {
        text.append(" ")
        length += 1
        pendingSpace = false
      }
      text.append(character)
      length += 1
    }
    return text
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
  package var description: String {
    var text = "\(attempted): \(what): \(message)"
    if let sqlState { text += " [SQLSTATE \(sqlState)]" }
    if let constraint { text += " (constraint \(constraint))" }
    if let hint { text += "; \(hint)" }
    if isOutcomeUnknown { text += "; it may or may not have taken effect" }
    return text
  }

  package var debugDescription: String { description }

  private var what: String {
    switch kind {
    case .invalidConfiguration: "the configuration cannot be used"
    case .connectionFailed: "no connection to PostgreSQL"
    case .connectionLost: "the connection to PostgreSQL is lost"
    case .timedOut: "timed out"
    case .cancelled: "cancelled"
    case .server: "PostgreSQL refused"
    case .decoding: "a value could not be decoded"
    case .unexpectedResult: "unexpected result"
    case .transactionAborted: "the transaction was rolled back"
    case .outcomeUnknown: "the outcome is unknown"
    case .notReplicated: "not replicated"
    case .poolExhausted: "no connection was free"
    case .poolClosed: "the pool is closed"
    case .resourceExhausted: "this machine ran out of a resource"
    }
  }
}
