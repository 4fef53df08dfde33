// What the checks of the log ask of a store: the least by which a right one and a wrong one differ.

import Hosting
import Postgres
import TestKit

/// Names are unique without case; what is suspended takes no model.
enum StoreCommand: Hashable, Sendable {
  case create(String)
  case suspend(String, unchangedSince: Int64? = nil)
  case onboard(String, model: String)

  var isSuspend: Bool {
    if case .suspend = self { true } else { false }
  }
}

enum StoreAnswer: Hashable, Sendable {
  case stored(at: Int64)
  /// Accepted, and there was nothing to change.
  case noted
  case refused
  case idUsedOtherwise
  /// The same id finds out.
  case unknown
}

/// A row of the store's table; `command` is nil for what no check sent.
struct StoreRow: Equatable, Sendable {
  let position: Int64
  let id: CommandID
  let command: StoreCommand?
}

protocol StoreUnderTest: Sendable {
  var name: String { get }
  /// Its table, on which a check holds appends.
  var table: String { get }
  func submit(_ command: StoreCommand, id: CommandID) async -> StoreAnswer
  /// What the store's tail gives after a position.
  func tail(after position: Int64) async throws -> [StoreRow]
  /// All that is committed, read past the store.
  func rows() async throws -> [StoreRow]
  /// The next append of this thing is stored, and its connection dies before the answer comes.
  func loseAnswer(about name: String)
  /// A projector starts, and takes one batch; it is killed after so many of its statements.
  ///
  /// - Returns: whether there was anything to do.
  func project(killedAfter statement: Int) async throws -> Bool
  /// A projector applies a batch that another one applied just before.
  func projectStale() async throws
  /// What in the projection is not what the table says.
  func projectionFaults() async throws -> [Fault]
  func end() async
}

extension StoreUnderTest {
  /// Sends a command as every client must: again under its id until its fate is known.
  func settle(_ command: StoreCommand, id: CommandID = .random()) async -> StoreAnswer {
    let watch = Stopwatch()
    while true {
      let answer = await submit(command, id: id)
      if answer != .unknown || watch.seconds > Pace.patienceSeconds { return answer }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}

/// Holds the first append that comes between its statement and its commit: a trigger on the table waits
/// for a lock that this has. Others pass by, if the store lets them.
final class Hold {
  /// How long something may take that a right store does not let happen, as a calm machine counts it.
  static let patienceSeconds = 1.5

  private static let held = 1
  private static let token = 2

  private let database: TestDatabase
  private var connection: Connection

  /// - Parameter table: gets the trigger, once.
  init(_ store: some StoreUnderTest, _ database: TestDatabase) throws {
    self.database = database
    connection = try database.connect()
    try connection.script(
      """
      CREATE OR REPLACE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF pg_try_advisory_xact_lock(\(Self.token)) THEN
          PERFORM pg_advisory_xact_lock_shared(\(Self.held));
        END IF;
        RETURN NULL;
      END $$;
      CREATE OR REPLACE TRIGGER hold AFTER INSERT ON \(store.table)
        FOR EACH STATEMENT EXECUTE FUNCTION public.hold();
      SELECT pg_advisory_lock(\(Self.held));
      """)
  }

  private static let waiting: Query = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """

  func waitUntilHeld() async throws {
    try await eventually("an append is held") { try connection.query(Self.waiting).count > 0 }
  }

  func release() throws { try connection.script("SELECT pg_advisory_unlock_all()") }

  /// Ends the append that is held, and its connection.
  func abort() throws {
    for row in try connection.query(Self.waiting) {
      let pid = try row.decode(Int32.self, at: 0)
      try connection.execute("SELECT pg_terminate_backend(\(pid))")
    }
    try release()
  }
}
