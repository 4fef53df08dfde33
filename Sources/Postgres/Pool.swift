// Several connections, each on its own lane, lent to one caller at a time.

import Synchronization

package struct PoolOptions: Sendable, Hashable {
  /// Connections and threads.
  package var lanes = 8
  /// How long a caller waits for a lane, and then, if it must, for a connection.
  package var acquireTimeoutSeconds: Double = 5
  /// Callers past this are refused at once.
  package var maximumWaiters = 1_024
  /// How long `close` lets running work go on before it cancels it.
  package var closeGraceSeconds: Double = 5
  /// Start of the lanes' thread names.
  package var name = "wharf-pg"

  package init() {}
}

/// Connections are made when they are first needed, and again after they broke. A caller takes a lane
/// within `acquireTimeoutSeconds` or is told why not; callers are served in order.
package final class Pool: Sendable {
  package struct Statistics: Sendable, Hashable {
    package var lanes: Int
    package var busy: Int
    package var connectedIdle: Int
    package var waiting: Int

    package init(lanes: Int, busy: Int, connectedIdle: Int, waiting: Int) {
      self.lanes = lanes
      self.busy = busy
      self.connectedIdle = connectedIdle
      self.waiting = waiting
    }
  }

  private typealias Waiter = CheckedContinuation<Result<Int, PostgresError>, Never>

  package let configuration: PostgresConfiguration
  package let options: PoolOptions
  private let sessions: [Session]
  private let state: Mutex<PoolState<Waiter>>

  /// Starts the lanes; connects to nothing yet.
  ///
  /// - Throws: `resourceExhausted`.
  package init(
    _ configuration: PostgresConfiguration, options: PoolOptions = PoolOptions()
  ) throws(PostgresError) {
    self.configuration = configuration
    self.options = options
    var sessions: [Session] = []
    for index in 0..<options.lanes {
      sessions.append(try Session(configuration, name: "\(options.name)-\(index)"))
    }
    self.sessions = sessions
    state = Mutex(PoolState(slots: options.lanes, maximumWaiters: options.maximumWaiters))
  }

  package var statistics: Statistics {
    state.withLock { state in
      Statistics(
        lanes: sessions.count, busy: sessions.count - state.readyCount - state.vacantCount,
        connectedIdle: state.readyCount, waiting: state.waiterCount)
    }
  }

  /// Runs `body` with a connection, on a thread that may block. A transaction that it leaves open is
  /// rolled back. When the task is cancelled, the statement under way ends and `body` gets
  /// `cancelled`; a statement that the server had finished by then still counts.
  ///
  /// - Throws: what `body` throws, or `poolExhausted`, `poolClosed`, `connectionFailed`, `cancelled`.
  @discardableResult
  package func withConnection<Result: Sendable>(
    _ body: @Sendable (inout Connection) throws -> Result
  ) async throws -> Result {
    let deadline = ContinuousClock.now + .seconds(options.acquireTimeoutSeconds)
    let slot = try await acquire(until: deadline)
    let session = sessions[slot]
    let token = CancelToken(wake: session.wake)
    guard state.withLock({ $0.start(slot: slot, token: token) }) else {
      release(slot, isConnected: false)
      throw closedError
    }
    let outcome = await withTaskCancellationHandler {
      await session.run(token: token, connectUntil: deadline, report: { note($0) }, body)
    } onCancel: {
      token.cancel()
    }
    // After `close` has passed by, nobody else would.
    if state.withLock({ $0.isClosed }) { await session.close() }
    release(slot, isConnected: outcome.isConnected)
    return try outcome.result.get()
  }

  /// Refuses new callers and those who wait, lets running work end for `closeGraceSeconds` before it
  /// cancels it, and closes every connection.
  package func close() async {
    for waiter in state.withLock({ $0.close() }) { waiter.resume(returning: .failure(closedError)) }
    let grace = Task {
      try await Task.sleep(for: .seconds(options.closeGraceSeconds))
      for token in state.withLock({ $0.runningTokens }) { token.cancel() }
    }
    for session in sessions { await session.close() }
    grace.cancel()
  }

  private func note(_ report: Session.Report) {
    state.withLock { state in
      switch report {
      case .connected: state.connected()
      case .failed(let error): state.failedToConnect(error)
      }
    }
  }
}

// Taking a lane, and giving it back.
extension Pool {
  func acquire(until deadline: ContinuousClock.Instant) async throws -> Int {
    let (acquisition, ticket) = state.withLock { ($0.acquire(), $0.makeTicket()) }
    switch acquisition {
    case .granted(let slot): return slot
    case .closed: throw closedError
    case .tooManyWaiters:
      throw PostgresError(
        .poolExhausted, "\(options.maximumWaiters) callers are waiting already",
        attempted: "take a connection to \(configuration)")
    case .mustWait: break
    }
    let expiry = Mutex<Task<Void, any Error>?>(nil)
    defer { expiry.withLock { $0?.cancel() } }
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        wait(waiter, ticket)
        // Not before: one that finds nobody does not come again.
        expiry.withLock {
          $0 = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            leave(ticket, .failure(exhaustedError))
          }
        }
      }
    } onCancel: {
      leave(ticket, .failure(cancelledError))
    }.get()
  }

  private func wait(_ waiter: Waiter, _ ticket: Int) {
    // A lane may have come free since the first look.
    let acquisition = state.withLock { state in
      let acquisition = state.acquire()
      if acquisition == .mustWait { state.wait(waiter, ticket: ticket) }
      return acquisition
    }
    switch acquisition {
    case .granted(let slot): waiter.resume(returning: .success(slot))
    case .closed: waiter.resume(returning: .failure(closedError))
    case .tooManyWaiters: waiter.resume(returning: .failure(exhaustedError))
    case .mustWait:
      // The cancellation may have come before there was a waiter to remove.
      if Task.isCancelled { leave(ticket, .failure(cancelledError)) }
    }
  }

  private func leave(_ ticket: Int, _ outcome: Result<Int, PostgresError>) {
    state.withLock { $0.remove(ticket: ticket) }?.resume(returning: outcome)
  }

  private func release(_ slot: Int, isConnected: Bool) {
    state.withLock { $0.release(slot: slot, isConnected: isConnected) }?
      .resume(returning: .success(slot))
  }

  private var closedError: PostgresError {
    PostgresError(
      .poolClosed, "this program is shutting down",
      attempted: "take a connection to \(configuration)")
  }

  private var cancelledError: PostgresError {
    PostgresError(
      .cancelled, "while waiting for a lane", attempted: "take a connection to \(configuration)")
  }

  /// When the server cannot be reached, the lanes are busy trying, and that is the true reason.
  private var exhaustedError: PostgresError {
    if let failure = state.withLock({ $0.connectFailure }) { return failure }
    return PostgresError(
      .poolExhausted,
      "all \(options.lanes) lanes stayed busy for \(options.acquireTimeoutSeconds) seconds",
      attempted: "take a connection to \(configuration)")
  }
}

// For the common case of one statement.
extension Pool {
  package func query(_ query: Query, timeout: Duration? = nil) async throws -> Rows {
    try await withConnection { connection in try connection.query(query, timeout: timeout) }
  }

  /// - Returns: the number of affected rows.
  @discardableResult
  package func execute(_ query: Query, timeout: Duration? = nil) async throws -> Int {
    try await withConnection { connection in try connection.execute(query, timeout: timeout) }
  }

  /// See `Connection.transaction`.
  @discardableResult
  package func transaction<Result: Sendable>(
    isolation: Isolation = .readCommitted, readOnly: Bool = false,
    _ body: @Sendable (inout Connection) throws -> Result
  ) async throws -> Result {
    try await withConnection { connection in
      try connection.transaction(isolation: isolation, readOnly: readOnly, body)
    }
  }
}
