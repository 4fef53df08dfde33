// A wharfd's place in the log: what the rest of the program talks to. Commands go in, the head comes
// out; the thread behind it follows or leads.

import Hosting
import Logging
import Postgres
import Synchronization
import Time

package struct LogSettings: Sendable {
  package var database: PostgresConfiguration
  /// Tells this wharfd from others; kept across restarts.
  package var instance: String
  /// Where this wharfd's API answers, for followers that forward.
  package var address: String
  package var inbox = InboxLimits()
  package var pollInterval = Duration.milliseconds(500)
  /// After how long a silence this wharfd takes a node for lost: told to who leads after it.
  package var nodeLostSeconds: Int?
  package var statementTimeout = Duration.seconds(10)
  package var connectTimeout = Duration.seconds(5)
  /// The format level that this wharfd reads.
  package var formatLevel = FormatLevel.current
  /// Where a start finds a state to go on from; without, the log is folded from its beginning.
  package var snapshots: SnapshotStore?
  /// Where what was seen of the log is kept; without, a start believes any database.
  package var memory: (any HeadKeeping)?
  /// The keys of persons, for all who read the log in this program; without, the member's own.
  package var keys: PersonKeys?
  /// Makes the ids of commands that this wharfd sends itself.
  package var makeCommandID: @Sendable () -> CommandID
  package var clocks = Clocks.system

  package init(
    database: PostgresConfiguration, instance: String, address: String,
    makeCommandID: @escaping @Sendable () -> CommandID
  ) {
    self.database = database
    self.instance = instance
    self.address = address
    self.makeCommandID = makeCommandID
  }
}

package final class LogMember: Sendable {
  /// A leader beats every two seconds; one that missed this many is out of touch.
  static let touchSeconds = Leases.touchSeconds

  package let board: HeadBoard
  package let keys: PersonKeys
  private let settings: LogSettings
  private let secret: ClusterSecret
  private let inbox: Inbox
  private let wake: WakeDescriptor
  private let stopping = Mutex(false)
  /// The last head that a caller has seen and that was not here.
  private let shown = Mutex<ShownHead?>(nil)
  private let contact = Mutex<Clocks.Instant?>(nil)
  private let logger: Logger

  package init(settings: LogSettings, secret: ClusterSecret, logger: Logger) throws {
    self.settings = settings
    self.secret = secret
    self.logger = logger
    board = HeadBoard(clocks: settings.clocks)
    keys = settings.keys ?? PersonKeys(secret)
    let wake = try WakeDescriptor()
    self.wake = wake
    inbox = Inbox(limits: settings.inbox) { wake.wake() }
  }

  package var clocks: Clocks { settings.clocks }

  /// Sends a command to the writer and waits until it is stored, refused, or given up.
  ///
  /// A short absence of the database is waited out; of a longer one it is told at once.
  package func submit(_ request: CommandRequest) async throws(SubmitFailure) -> Receipt {
    if let outOfTouch { throw .outOfTouch(outOfTouch) }
    let result = await withCheckedContinuation { continuation in
      inbox.add([pending(request) { continuation.resume(returning: $0) }])
    }
    return try result.get()
  }

  /// Sends a command of wharfd's own.
  ///
  /// - Returns: nil where all was so already.
  package func submitOwn(_ request: CommandRequest) async throws(SubmitFailure) -> Receipt? {
    switch await submit(inOrder: [request])[0] {
    case .success(let receipt): return receipt
    case .failure(.changesNothing): return nil
    case .failure(let failure): throw failure
    }
  }

  /// Sends commands of one sender that are decided in this order, and nothing else of the sender's
  /// between them.
  ///
  /// - Returns: what came of each, in the same order.
  package func submit(inOrder requests: [CommandRequest]) async -> [Result<
    Receipt, SubmitFailure
  >] {
    precondition(Set(requests.map(\.principal.actor)).count <= 1, "each sender has an own line")
    if requests.isEmpty { return [] }
    if let outOfTouch { return requests.map { _ in .failure(.outOfTouch(outOfTouch)) } }
    let answers = Mutex<[Int: Result<Receipt, SubmitFailure>]>([:])
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      inbox.add(
        requests.enumerated().map { number, request in
          pending(request) { answer in
            let areAll = answers.withLock { answers in
              answers[number] = answer
              return answers.count == requests.count
            }
            if areAll { continuation.resume() }
          }
        })
    }
    let all = answers.withLock { $0 }
    return requests.indices.compactMap { all[$0] }
  }

  private func pending(
    _ request: CommandRequest,
    answer: @escaping @Sendable (Result<Receipt, SubmitFailure>) -> Void
  ) -> PendingCommand {
    PendingCommand(
      request: request, seal: request.seal(secret),
      deadline: clocks.now + .seconds(settings.inbox.waitSeconds), answer: answer)
  }

  /// The log's time, as far as it is known here: what is refused, allowed or shown by a date goes by it,
  /// and never by this machine's clock. None until the database was asked.
  package var time: Timestamp? {
    let head = board.current
    return head.clock == nil ? nil : head.time(at: clocks.now)
  }

  /// Follows and leads until `stop`; throws when the log cannot be read on.
  package func run() async throws {
    let thread = try MemberThread()
    try await thread.run(
      MemberLoop(
        settings: settings, secret: secret, keys: keys, board: board, inbox: inbox, wake: wake,
        stopped: { [self] in stopping.withLock { $0 } },
        shown: { [self] in shown.withLock { $0 } },
        touched: { [self] asked in contact.withLock { $0 = max($0 ?? asked, asked) } },
        outOfTouch: { [self] in outOfTouch }, logger: logger))
  }

  /// Whether the log was reached a moment ago: what is given out on the strength of the state, such
  /// as leases, is given only then.
  package var isInTouch: Bool { isInTouch(withinSeconds: Double(Self.touchSeconds)) }

  package func isInTouch(withinSeconds seconds: Double) -> Bool {
    touchedAt.map { clocks.now - $0 < .seconds(seconds) } ?? false
  }

  /// When the log was last asked for what it then answered. A leader led at that moment, or later.
  package var touchedAt: Clocks.Instant? { contact.withLock { $0 } }

  /// Set once the log was reached before, and not for a while; never while it starts.
  package var outOfTouch: OutOfTouch? {
    guard let last = contact.withLock({ $0 }) else { return nil }
    let silent = clocks.now - last
    guard silent >= .seconds(Self.touchSeconds) else { return nil }
    return OutOfTouch(seconds: Int(silent.components.seconds))
  }

  /// How long a caller that saw more than is here waits until it is found out why.
  private static let shownWaitSeconds = 5

  /// A caller that is to be believed has seen a head of this log that is not here. A follower reads on, and
  /// has it in a moment; a leader of an old database finds out that it is one.
  ///
  /// - Parameter isMachine: belongs to this system alone. Of a person nothing is taken of a later era: who
  ///   tries a restored copy out saw one there, and comes back.
  /// - Parameter caller: its stream, where it is known.
  package func heed(_ seen: HeadWitness, from isMachine: Bool, caller: String? = nil) async {
    let head = board.current.witness
    guard seen.isBeyond(head), isMachine || seen.era == head.era else { return }
    shown.withLock { shown in
      if shown?.head.isBeyond(seen) != true { shown = ShownHead(head: seen, caller: caller) }
    }
    wake.wake()
    _ = await board.wait(for: .seen(seen), upTo: .seconds(Self.shownWaitSeconds))
  }

  /// Steps down and ends `run`.
  package func stop() {
    stopping.withLock { $0 = true }
    wake.wake()
  }
}

/// The loop's own thread: it blocks, so it must not stand on a cooperative one.
private actor MemberThread {
  private let lane: Lane

  init() throws { lane = try Lane(name: "log-member") }

  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  func run(_ loop: MemberLoop) throws {
    var loop = loop
    try loop.run()
  }
}
