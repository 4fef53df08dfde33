// One lane of a pool with its connection: connects when it must, runs what it is given.

import Machine

/// Isolated to its own lane, so it may block. Work arrives one at a time: the pool sees to it.
actor Session {
  nonisolated let lane: Lane
  nonisolated let wake: WakeDescriptor
  private let configuration: PostgresConfiguration
  private var connection: Connection?

  /// A pool's word on how connecting goes.
  enum Report: Sendable {
    case connected
    case failed(PostgresError)
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  init(_ configuration: PostgresConfiguration, name: String) throws(PostgresError) {
    lane = try Lane(name: name)
    wake = try WakeDescriptor()
    self.configuration = configuration
  }

  struct Outcome<Value: Sendable>: Sendable {
    var result: Result<Value, any Error>
    /// The connection lives on for the next caller.
    var isConnected: Bool
  }

  /// Runs `body` on this session's connection. Whatever state `body` leaves it in, the next one finds
  /// it outside of a transaction, or finds a new one.
  func run<Value: Sendable>(
    token: CancelToken, connectUntil deadline: ContinuousClock.Instant,
    report: (Report) -> Void, _ body: @Sendable (inout Connection) throws -> Value
  ) -> Outcome<Value> {
    let result: Result<Value, any Error>
    do {
      try connect(until: deadline, token: token, report: report)
      connection!.setCancelToken(token)
      defer { tidy() }
      result = .success(try body(&connection!))
    } catch {
      result = .failure(error)
    }
    return Outcome(result: result, isConnected: connection != nil)
  }

  func close() { connection = nil }

  private func tidy() {
    if !connection!.returnToPool() { connection = nil }
  }

  /// Tries until the deadline, but at least once, with growing pauses.
  private func connect(
    until deadline: ContinuousClock.Instant, token: CancelToken, report: (Report) -> Void
  ) throws(PostgresError) {
    if connection != nil, connection!.isUsable() { return }
    connection = nil
    var backoff = Backoff.connecting
    var random = SystemRandomNumberGenerator()
    while true {
      do throws(PostgresError) {
        connection = try Connection(
          configuration, timeout: timeout(until: deadline), cancelToken: token)
        report(.connected)
        return
      } catch {
        guard error.kind == .connectionFailed else { throw error }
        report(.failed(error))
        let pause = Duration.milliseconds(backoff.pauseMilliseconds(using: &random))
        let retry = ContinuousClock.now + pause
        if retry >= deadline { throw error }
        Waiting.sleep(wake: wake, until: retry)
        if token.isCancelled {
          throw PostgresError(.cancelled, "while connecting", attempted: error.attempted)
        }
      }
    }
  }

  /// A caller who waited long for the lane still gets one fair try.
  private func timeout(until deadline: ContinuousClock.Instant) -> Duration {
    let left = max(.seconds(1), ContinuousClock.now.duration(to: deadline))
    return min(left, .seconds(configuration.connectTimeoutSeconds))
  }
}
