// How a statement goes out, is waited for, ended early and settled. See Statement.swift for its
// states and Connection.swift for the rules.

import CLibPQ

extension Connection {
  /// Opens the books for a statement; the caller sends it next.
  mutating func begin(
    _ sql: String, timeout: Duration?, scope: Statement.Scope? = nil, isStream: Bool = false
  ) throws(PostgresError) {
    precondition(running == nil, "a statement is under way: receive its result first")
    if brokenReason != nil { throw brokenError(PostgresError.preview(sql)) }
    let scope = scope ?? (transactionStatus == .idle ? .alone : .inTransaction)
    let statement = Statement(
      sql, scope: scope, timeout: timeout ?? configuration.statementTimeout, isStream: isStream)
    if !statement.isShielded, let cancelToken, cancelToken.isCancelled {
      throw PostgresError(
        .cancelled, "before it was sent", attempted: PostgresError.preview(sql))
    }
    handle.notices.clear()
    running = statement
  }

  mutating func send(
    _ query: Query, timeout: Duration?, isStream: Bool
  ) throws(PostgresError) {
    precondition(running == nil, "a statement is under way: receive its result first")
    if brokenReason != nil { throw brokenError(query.description) }
    hasStalePlan = false
    let key = StatementCache.Key(query)
    let limit = timeout ?? configuration.statementTimeout
    switch statements.use(key) {
    case .runUnprepared:
      try begin(query.sql, timeout: limit, isStream: isStream)
      try transmit(query, name: nil)
    case .prepare(let name):
      let start = ContinuousClock.now
      try prepare(query, key, name: name, timeout: limit)
      let left = limit.map { max(.zero, $0 - (ContinuousClock.now - start)) }
      try begin(query.sql, timeout: left, isStream: isStream)
      running?.prepared = key
      try transmit(query, name: name)
    case .runPrepared(let name):
      try begin(query.sql, timeout: limit, isStream: isStream)
      running?.prepared = key
      try transmit(query, name: name)
    }
  }

  private mutating func prepare(
    _ query: Query, _ key: StatementCache.Key, name: String, timeout: Duration?
  ) throws(PostgresError) {
    if transactionStatus == .idle {
      for name in statements.takeDoomed() { try deallocate(name, timeout: timeout) }
    }
    try begin(query.sql, timeout: timeout)
    let sent = PQsendPrepare(
      handle.raw, name, query.sql, Int32(query.parameters.count), query.parameters.map(\.oid))
    if sent == 0 { throw failToSend() }
    try flush()
    _ = try finish()
    statements.prepared(key, name: name)
  }

  private mutating func deallocate(_ name: String, timeout: Duration?) throws(PostgresError) {
    do throws(PostgresError) {
      try script("DEALLOCATE \(name)", timeout: timeout)
    } catch {
      // Someone's DEALLOCATE ALL was quicker.
      guard error.kind == .server else { throw error }
    }
  }

  private mutating func transmit(_ query: Query, name: String?) throws(PostgresError) {
    let sent = ParameterPointers(query.parameters).withPointers { values, lengths, formats in
      let count = Int32(query.parameters.count)
      if let name {
        return PQsendQueryPrepared(handle.raw, name, count, values, lengths, formats, 1)
      }
      return PQsendQueryParams(
        handle.raw, query.sql, count, query.parameters.map(\.oid), values, lengths, formats, 1)
    }
    if sent == 0 { throw failToSend() }
    try flush()
  }

  /// Hands everything to the kernel. The server may want to talk meanwhile, so it reads as well.
  mutating func flush() throws(PostgresError) {
    while true {
      switch PQflush(handle.raw) {
      case 0:
        running?.isSent = true
        return
      case 1:
        let outcome = try wait(forWriting: true)
        if outcome.isReadable, PQconsumeInput(handle.raw) == 0 { return }
      default:
        // Reading the results tells what happened, such as the server's last words.
        return
      }
      if PQstatus(handle.raw) == CONNECTION_BAD { return }
    }
  }

  /// The next result of the running statement, or nil once the server is ready for another.
  mutating func nextResult() throws(PostgresError) -> OpaquePointer? {
    try noticeCancellation()
    while PQstatus(handle.raw) == CONNECTION_OK, PQisBusy(handle.raw) == 1 {
      let outcome = try wait(forWriting: false)
      if outcome.isReadable, PQconsumeInput(handle.raw) == 0 {
        // Not dead, and yet not readable: asking for the result now could block.
        if PQstatus(handle.raw) == CONNECTION_OK { throw lose(nil) }
        break
      }
    }
    return PQgetResult(handle.raw)
  }

  /// Reads everything that is left of the statement, and closes the books.
  ///
  /// - Parameter earlier: a failure among the results that were read before.
  /// - Returns: the first result with rows or a row count.
  mutating func finish(after earlier: PostgresError? = nil) throws(PostgresError) -> Rows? {
    let sql = running?.sql ?? ""
    var rows: Rows?
    var failure = earlier
    while let raw = try nextResult() {
      let result = Rows(owning: raw, sql: sql)
      switch PQresultStatus(raw) {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: rows = rows ?? result
      case PGRES_SINGLE_TUPLE: break
      case PGRES_COPY_OUT: try discardCopy()
      case PGRES_COPY_IN, PGRES_COPY_BOTH: throw refuseCopyIn()
      default: failure = failure ?? serverError(raw)
      }
      extendLifetime(result)
    }
    try settle(failure)
    return rows
  }

  private mutating func discardCopy() throws(PostgresError) {
    while try nextCopyData() != nil {}
  }

  private mutating func refuseCopyIn() -> PostgresError {
    let attempted = PostgresError.preview(running?.sql ?? "")
    running = nil
    brokenReason = "it was left in the middle of a COPY FROM STDIN"
    return PostgresError(
      .unexpectedResult, "the statement wants to be fed with COPY data", attempted: attempted)
  }

  /// Every result has been read: judges the statement as a whole.
  mutating func settle(_ failure: PostgresError?) throws(PostgresError) {
    if PQstatus(handle.raw) == CONNECTION_BAD { throw lose(failure) }
    try awaitCancelRequest()
    let statement = running
    running = nil
    guard var failure else {
      if handle.notices.heard.contains(.commitNotReplicated) { throw notReplicated(statement) }
      return
    }
    if failure.sqlState == "57014" {
      switch statement?.stop {
      case .cancelled, .abandoned: failure.kind = .cancelled
      case .timedOut: failure.kind = .timedOut
      // Someone else's doing: pg_cancel_backend or statement_timeout. The message tells.
      case nil: break
      }
    }
    // "prepared statement does not exist", and "cached plan must not change result type".
    if failure.sqlState == "26000" || failure.sqlState == "0A000", let key = statement?.prepared {
      statements.forget(key)
      hasStalePlan = true
    }
    throw failure
  }
}

// Ending a statement early.
extension Connection {
  mutating func wait(forWriting: Bool) throws(PostgresError) -> Waiting.Outcome {
    let outcome = Waiting.wait(
      socket: PQsocket(handle.raw), forWriting: forWriting, wakes: (wake, nil),
      until: running?.deadline)
    if outcome.isWoken {
      wake.drain()
      try noticeCancellation()
    }
    guard let statement = running, let deadline = statement.deadline else { return outcome }
    if statement.isStream, statement.stop == nil, outcome.isReadable {
      running?.deadline = statement.timeout.map { ContinuousClock.now + $0 }
    } else if outcome.isTimedOut || ContinuousClock.now >= deadline {
      // Late also when data keeps flowing: only a stream may take as long as it likes.
      if statement.stop != nil || statement.isShielded { throw giveUp() }
      try requestStop(.timedOut)
    }
    return outcome
  }

  mutating func noticeCancellation() throws(PostgresError) {
    guard let cancelToken, cancelToken.isCancelled, let statement = running,
      statement.stop == nil, !statement.isShielded
    else { return }
    try requestStop(.cancelled)
  }

  /// Asks the server to end the statement; its answer is then read like any other.
  mutating func requestStop(_ stop: Statement.Stop) throws(PostgresError) {
    running?.stop = stop
    running?.deadline = ContinuousClock.now + configuration.cancelGrace
    guard let request = CancelRequest.start(handle.raw, wake: wake) else { throw giveUp() }
    running?.cancelRequest = request
  }

  /// The statement is over, but a request that is still under way could end the next one.
  private mutating func awaitCancelRequest() throws(PostgresError) {
    guard let request = running?.cancelRequest else { return }
    while !request.isDone {
      let outcome = Waiting.wait(socket: -1, wakes: (wake, nil), until: running?.deadline)
      if outcome.isWoken { wake.drain() }
      if outcome.isTimedOut, !request.isDone { throw giveUp() }
    }
  }

  /// The server stays silent: the statement and the connection are left to themselves.
  private mutating func giveUp() -> PostgresError {
    let statement = running
    running = nil
    brokenReason = "it was given up when the server did not answer in time"
    let kind: PostgresError.Kind
    switch statement?.stop {
    case .cancelled, .abandoned: kind = .cancelled
    case .timedOut, nil: kind = .timedOut
    }
    let limit = statement?.timeout.map { " within \($0)" } ?? ""
    let grace =
      statement?.stop == nil
      ? "" : ", nor to the request to cancel within \(configuration.cancelGrace)"
    return PostgresError(
      statement?.lossKind(kind) ?? kind,
      "the server did not answer\(kind == .timedOut ? limit : "")\(grace); the connection is given up",
      attempted: PostgresError.preview(statement?.sql ?? "a statement"),
      isOutcomeUnknown: statement?.isOutcomeUnknownWhenLost ?? false)
  }
}

// Failures.
extension Connection {
  mutating func failToSend() -> PostgresError {
    let statement = running
    running = nil
    let message = handle.errorMessage
    brokenReason = message
    return PostgresError(
      .connectionLost, message, attempted: PostgresError.preview(statement?.sql ?? ""))
  }

  /// The connection died under the running statement.
  private mutating func lose(_ failure: PostgresError?) -> PostgresError {
    let statement = running
    running = nil
    let message = failure?.message ?? handle.lossMessage
    brokenReason = message
    return PostgresError(
      statement?.lossKind(.connectionLost) ?? .connectionLost, message,
      attempted: PostgresError.preview(statement?.sql ?? ""), sqlState: failure?.sqlState,
      isOutcomeUnknown: statement?.isOutcomeUnknownWhenLost ?? false)
  }

  /// The server calls it done.
  private func notReplicated(_ statement: Statement?) -> PostgresError {
    PostgresError(
      .notReplicated,
      "the server stopped waiting for the standbys that its commit was to reach: it stands here, and "
        + "is lost if one of them is promoted",
      attempted: PostgresError.preview(statement?.sql ?? ""), isOutcomeUnknown: true)
  }

  func brokenError(_ attempted: String) -> PostgresError {
    PostgresError(
      .connectionLost, "it broke earlier (\(brokenReason ?? "for no known reason"))",
      attempted: attempted)
  }

  func serverError(_ result: OpaquePointer) -> PostgresError {
    let sqlState = field(.sqlState, of: result)
    var message = field(.primaryMessage, of: result) ?? handle.errorMessage
    // Data exceptions quote the value: invalid input syntax for type integer: "…".
    if let sqlState, sqlState.hasPrefix("22"), let quote = message.firstRange(of: ": \"") {
      message = message[..<quote.lowerBound] + " (value withheld)"
    }
    return PostgresError(
      .server, message, attempted: PostgresError.preview(running?.sql ?? ""), sqlState: sqlState,
      constraint: field(.constraintName, of: result), hint: field(.hint, of: result))
  }

  /// libpq's PG_DIAG_… letters, which Swift does not import.
  private enum Field: Unicode.Scalar {
    case sqlState = "C"
    case primaryMessage = "M"
    case hint = "H"
    case constraintName = "n"
  }

  private func field(_ field: Field, of result: OpaquePointer) -> String? {
    PQresultErrorField(result, Int32(field.rawValue.value)).map { String(cString: $0) }
  }
}
