// Who has which lane, and who waits for one: the pool's books, without clocks or threads.
//
// slot:   vacant ◀─ release(broken) ── busy ── release(connected) ─▶ ready
//         vacant, ready ── acquire ─▶ busy; ready ones first
// waiter: waiting ── a slot is released ─▶ granted;  ── removed (time is up, cancelled, closed)

struct PoolState<Waiter> {
  enum Acquisition: Equatable {
    case granted(slot: Int)
    /// Every slot is busy: add a waiter.
    case mustWait
    case tooManyWaiters
    case closed
  }

  private let maximumWaiters: Int
  /// Idle with a connection; last in, first out, so that rarely used connections stay idle.
  private var ready: [Int] = []
  /// Idle without a connection.
  private var vacant: [Int]
  /// The order of the waiters; those that left in between are missing in `waiters`.
  private var order = Ring<Int>()
  private var waiters: [Int: Waiter] = [:]
  private var nextTicket = 0
  private var tokens: [Int: CancelToken] = [:]
  private(set) var isClosed = false
  /// Why the last try to connect failed; nil once one succeeded.
  private(set) var connectFailure: PostgresError?

  init(slots: Int, maximumWaiters: Int) {
    precondition(slots > 0 && maximumWaiters >= 0, "a pool has at least one lane")
    self.maximumWaiters = maximumWaiters
    vacant = (0..<slots).reversed()
  }

  var waiterCount: Int { waiters.count }
  /// With those that left and are not yet dropped.
  var queuedTickets: Int { order.count }
  var readyCount: Int { ready.count }
  var vacantCount: Int { vacant.count }

  mutating func acquire() -> Acquisition {
    if isClosed { return .closed }
    if let slot = ready.popLast() ?? vacant.popLast() { return .granted(slot: slot) }
    return waiters.count < maximumWaiters ? .mustWait : .tooManyWaiters
  }

  /// Adds a waiter after `acquire` said `mustWait`, under the same lock.
  mutating func wait(_ waiter: Waiter, ticket: Int) {
    waiters[ticket] = waiter
    order.append(ticket)
  }

  mutating func makeTicket() -> Int {
    nextTicket += 1
    return nextTicket
  }

  /// - Returns: nil when the waiter was granted a slot or removed before.
  mutating func remove(ticket: Int) -> Waiter? {
    let waiter = waiters.removeValue(forKey: ticket)
    // Tickets of those who left are dropped when they outnumber the rest, to keep `order` bounded.
    if order.count > 2 * max(waiters.count, 8) { compact() }
    return waiter
  }

  /// - Returns: the waiter that gets the slot now, if there is one.
  mutating func release(slot: Int, isConnected: Bool) -> Waiter? {
    tokens[slot] = nil
    while let ticket = order.popFirst() {
      if let waiter = waiters.removeValue(forKey: ticket) { return waiter }
    }
    if isConnected { ready.append(slot) } else { vacant.append(slot) }
    return nil
  }

  mutating func close() -> [Waiter] {
    isClosed = true
    defer { waiters = [:] }
    return waiters.keys.sorted().compactMap { waiters[$0] }
  }

  /// Registers what ends the work on a busy slot.
  ///
  /// - Returns: false when the pool was closed since the slot was granted: the work must not start.
  mutating func start(slot: Int, token: CancelToken) -> Bool {
    if isClosed { return false }
    tokens[slot] = token
    return true
  }

  var runningTokens: [CancelToken] { Array(tokens.values) }

  mutating func connected() { connectFailure = nil }
  mutating func failedToConnect(_ error: PostgresError) { connectFailure = error }

  private mutating func compact() {
    var kept = Ring<Int>()
    while let ticket = order.popFirst() {
      if waiters[ticket] != nil { kept.append(ticket) }
    }
    order = kept
  }
}
