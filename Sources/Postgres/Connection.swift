// One connection to PostgreSQL: synchronous, for a thread that may block (a lane, see Lane.swift).
//
// 1. It never blocks in libpq: every wait is poll(2) on the socket and a wake descriptor, bounded by
//    a timeout (and then by the configuration's `cancelGrace`).
// 2. At most one statement runs. All of its results are read, up to "ready for query", before it
//    counts as done: an error at commit comes after the statement's own success.
// 3. A cancel request is over before the next statement starts, so it can never hit that one.
// 4. Once broken it stays broken, says why, and refuses everything.

import CLibPQ

package struct Connection: ~Copyable {
  package enum TransactionStatus: Sendable {
    case idle, active, inTransaction, failedTransaction, unknown
  }

  package let configuration: PostgresConfiguration
  /// Ends waits of this connection; also what a `CancelToken` for it must carry.
  package let wake: WakeDescriptor
  /// While it is cancelled no statement starts, and the running one is ended.
  package private(set) var cancelToken: CancelToken?

  let handle: Handle
  var statements = StatementCache()
  var running: Statement?
  var brokenReason: String?
  /// The last statement failed only because what was prepared for it no longer fits.
  var hasStalePlan = false

  /// Connects. Bounded by `timeout`, or else by the configuration's `connectTimeoutSeconds`.
  ///
  /// - Throws: `connectionFailed`, `cancelled` or `resourceExhausted`.
  package init(
    _ configuration: PostgresConfiguration, timeout: Duration? = nil,
    cancelToken: CancelToken? = nil
  ) throws(PostgresError) {
    let wake: WakeDescriptor
    if let cancelToken { wake = cancelToken.wake } else { wake = try WakeDescriptor() }
    handle = try Handle.connect(
      configuration, timeout: timeout ?? .seconds(configuration.connectTimeoutSeconds), wake: wake,
      token: cancelToken)
    self.configuration = configuration
    self.wake = wake
    self.cancelToken = cancelToken
  }

  /// Puts the following statements under a token; nil under none.
  package mutating func setCancelToken(_ token: CancelToken?) {
    precondition(token == nil || token?.wake === wake, "the token must wake this connection")
    cancelToken = token
  }

  package var isBroken: Bool { brokenReason != nil }
  package var backendProcessID: Int32 { PQbackendPID(handle.raw) }
  /// Such as 150018.
  package var serverVersion: Int { Int(PQserverVersion(handle.raw)) }
  package var isStatementRunning: Bool { running != nil }

  package var transactionStatus: TransactionStatus {
    switch PQtransactionStatus(handle.raw) {
    case PQTRANS_IDLE: .idle
    case PQTRANS_ACTIVE: .active
    case PQTRANS_INTRANS: .inTransaction
    case PQTRANS_INERROR: .failedTransaction
    default: .unknown
    }
  }

  /// Whether the server still holds up its end, as far as can be told without asking it.
  package mutating func isUsable() -> Bool {
    guard brokenReason == nil, running == nil else { return false }
    // A goodbye may come before the end: reads on until there is nothing to read.
    while Waiting.wait(
      socket: PQsocket(handle.raw), wakes: (nil, nil), until: ContinuousClock.now
    ).isReadable {
      guard PQconsumeInput(handle.raw) == 1, PQstatus(handle.raw) == CONNECTION_OK else {
        brokenReason = handle.lossMessage
        return false
      }
    }
    return true
  }
}

extension Connection {
  /// Runs one statement and returns all of its rows.
  ///
  /// - Parameter timeout: nil takes the configuration's `statementTimeout`.
  package mutating func query(
    _ query: Query, timeout: Duration? = nil
  ) throws(PostgresError) -> Rows {
    do throws(PostgresError) {
      try send(query, timeout: timeout)
      return try receive()
    } catch {
      // The server's schema changed under a prepared statement. Outside of a transaction nothing
      // has happened yet, so it is run again as if it were new.
      guard hasStalePlan, transactionStatus == .idle else { throw error }
    }
    try send(query, timeout: timeout)
    return try receive()
  }

  /// Runs one statement.
  ///
  /// - Returns: the number of rows that it inserted, updated, deleted or returned.
  @discardableResult
  package mutating func execute(
    _ query: Query, timeout: Duration? = nil
  ) throws(PostgresError) -> Int {
    try self.query(query, timeout: timeout).affectedRows
  }

  /// Runs several statements, parted by semicolons and without parameters, as one transaction unless
  /// they hold BEGIN and COMMIT themselves. Their rows are dropped.
  package mutating func script(
    _ sql: String, timeout: Duration? = nil
  ) throws(PostgresError) {
    try begin(sql, timeout: timeout)
    if PQsendQuery(handle.raw, sql) == 0 { throw failToSend() }
    try flush()
    _ = try finish()
  }

  /// Starts a statement, so that the caller can work while it runs; `receive` must follow.
  ///
  /// The second use of a statement prepares it first, which takes a round trip.
  package mutating func send(
    _ query: Query, timeout: Duration? = nil
  ) throws(PostgresError) {
    try send(query, timeout: timeout, isStream: false)
  }

  /// Waits until an answer to what `send` started arrives, or `wake` is rung, so that the caller can
  /// work meanwhile; `receive` must follow all the same, and keeps the statement's timeout.
  ///
  /// - Parameter spinning: for so long it looks again and again before it sleeps. A thread that sleeps is woken
  ///   late, by what may be a tenth of a quick statement's time.
  /// - Returns: whether `receive` has something to do.
  package mutating func waitForAnswer(
    orWake wake: WakeDescriptor, spinning: Duration = .zero
  ) -> Bool {
    guard let statement = running, !isBroken else { return true }
    let outcome = Waiting.wait(
      socket: PQsocket(handle.raw), wakes: (self.wake, wake), spinning: spinning,
      until: statement.deadline)
    guard outcome.isWoken, !outcome.isReadable else { return true }
    wake.drain()
    return cancelToken?.isCancelled ?? false
  }

  /// Waits for that answer a moment only.
  ///
  /// - Returns: whether it is there, or there is nothing to wait for.
  package func waitForAnswer(upTo limit: Duration) -> Bool {
    guard running != nil, !isBroken else { return true }
    let outcome = Waiting.wait(
      socket: PQsocket(handle.raw), wakes: (nil, nil), until: ContinuousClock.now + limit)
    return outcome.isReadable
  }

  /// Waits for the statement that `send` started. Its timeout counts from `send`, unless another is
  /// given here, which counts from now.
  package mutating func receive(timeout: Duration? = nil) throws(PostgresError) -> Rows {
    precondition(running != nil || isBroken, "receive without send")
    if let timeout { running?.deadline = ContinuousClock.now + timeout }
    guard let sql = running?.sql else { throw brokenError("receive a result") }
    guard let rows = try finish() else {
      throw PostgresError(
        .unexpectedResult, "the server sent no result", attempted: PostgresError.preview(sql))
    }
    return rows
  }
}
