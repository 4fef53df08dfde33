// Transactions. The closure is synchronous, so nothing else can get between its statements.

import CLibPQ

package enum Isolation: String, Sendable {
  case readCommitted = "READ COMMITTED"
  case repeatableRead = "REPEATABLE READ"
  case serializable = "SERIALIZABLE"
}

extension Connection {
  /// Runs `body` in a transaction: commits when it returns, rolls back when it throws. They do not
  /// nest.
  ///
  /// - Throws: what `body` throws; `outcomeUnknown` when the connection died during the commit;
  ///   `transactionAborted` when `body` swallowed the error of one of its statements.
  @discardableResult
  package mutating func transaction<Result>(
    isolation: Isolation = .readCommitted, readOnly: Bool = false,
    _ body: (inout Connection) throws -> Result
  ) throws -> Result {
    precondition(transactionStatus != .inTransaction, "transactions do not nest")
    try script("BEGIN ISOLATION LEVEL \(isolation.rawValue)\(readOnly ? " READ ONLY" : "")")
    let result: Result
    do {
      result = try body(&self)
    } catch {
      rollBack()
      throw error
    }
    try commit()
    return result
  }

  private mutating func commit() throws(PostgresError) {
    precondition(running == nil, "a statement is under way: receive its result first")
    if brokenReason == nil, transactionStatus != .inTransaction {
      let failed = transactionStatus == .failedTransaction
      rollBack()
      throw PostgresError(
        .transactionAborted,
        failed ? "one of its statements had failed" : "it was ended by one of its own statements",
        attempted: "COMMIT")
    }
    try end("COMMIT", scope: .commit)
  }

  /// Leaves a transaction, if there is one. A connection that cannot is broken.
  mutating func rollBack() {
    if running != nil { abandon() }
    guard brokenReason == nil, transactionStatus != .idle else { return }
    do throws(PostgresError) {
      try end("ROLLBACK", scope: .rollback)
    } catch {
      brokenReason = brokenReason ?? error.message
    }
  }

  /// Makes it fit for another borrower.
  ///
  /// - Returns: false when it is broken.
  mutating func returnToPool() -> Bool {
    rollBack()
    setCancelToken(nil)
    return brokenReason == nil
  }

  private mutating func end(_ sql: String, scope: Statement.Scope) throws(PostgresError) {
    try begin(sql, timeout: nil, scope: scope)
    if PQsendQuery(handle.raw, sql) == 0 { throw failToSend() }
    try flush()
    _ = try finish()
  }

  /// Ends a statement whose result nobody will read.
  mutating func abandon() {
    guard running != nil else { return }
    do throws(PostgresError) {
      if running?.stop == nil { try requestStop(.abandoned) }
      _ = try finish()
    } catch {
      // Either the statement is over, or the connection is broken and remembers it.
    }
  }
}
