// A batch that the database refuses for what is in one of its rows is stored command by command. What
// comes between, another writer's events or another leader, must not lose a command or answer one twice.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct StoredAloneTests {
  /// Rows of a mark `poison` are refused as bad data; those of a mark `held` wait for a lock.
  private static let trigger = """
    CREATE FUNCTION log.refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.data->>'name' = 'poison' THEN
        RAISE EXCEPTION 'no such byte' USING ERRCODE = '22021';
      ELSIF NEW.data->>'name' = 'held' THEN
        PERFORM pg_advisory_xact_lock(1);
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON log.events
      FOR EACH ROW EXECUTE FUNCTION log.refuse_poison();
    """

  private static let names = ["poison", "held", "known", "last"]

  /// Has a batch of `names` refused, and another writer append while `held` is being stored alone.
  private func interrupting(
    by foreign: (LoopRig, _ known: CommandRequest) -> (any Command, Principal, CommandRequest?)
  ) async throws -> LoopRig {
    let loop = try LoopRig(TestDatabase.current.configuration)
    try await loop.leads()
    var holder = try Connection(loop.database)
    try holder.script(Self.trigger)
    try holder.script("SELECT pg_advisory_lock(1)")

    // While the first is held up, the others gather in one batch.
    var table = try Connection(loop.database)
    try table.script("BEGIN; LOCK TABLE log.events IN SHARE MODE")
    loop.add(loop.request("first"), as: "first")
    try await eventually("the first is held up") { try loop.isHeldUp() }
    let requests = Self.names.map { ($0, loop.request($0)) }
    for (name, request) in requests { loop.add(request, as: name) }
    let known = requests[2].1
    loop.add(known, as: "known again")
    try await eventually("they are decided") { loop.inbox.isEmpty }
    try table.script("COMMIT")
    try await eventually("one is held up") { try loop.isHeldUp(by: "advisory") }
    #expect(loop.answers(to: "poison").count == 1)

    let head = loop.board.current
    let (command, principal, same) = foreign(loop, known)
    let request = same ?? CommandRequest(id: .random(), command: command, principal: principal)
    let batch = Batch(
      [
        PendingCommand(
          request: request, seal: request.seal(Rig.secret), deadline: .now, answer: { _ in })
      ], after: head.state, hash: head.hash, now: head.state.recordedAt, sealing: .nothing)
    try table.execute(LogStatements.append(batch.rows))
    try holder.script("SELECT pg_advisory_unlock(1)")
    let all = Self.names + ["known again"]
    try await eventually("all are answered") { all.allSatisfy { !loop.answers(to: $0).isEmpty } }
    try await loop.stop()
    for name in all { #expect(loop.answers(to: name).count == 1, "\(name)") }
    return loop
  }

  private func placed(_ name: String, _ loop: LoopRig) throws -> Position {
    try #require(loop.answers(to: name).first).get().position
  }

  private func marks(_ loop: LoopRig) throws -> [Position] {
    var connection = try Connection(loop.database)
    return try connection.query(
      "SELECT position FROM log.events WHERE type = 'markPlaced' ORDER BY position"
    ).map { Position(try $0.decode(Int64.self, at: 0)) }
  }

  @Test
  func `another writer comes first: what it stored is answered with that, the rest is stored`()
    async throws
  {
    let loop = try await interrupting { _, known in (known.command, known.principal, known) }
    guard case .failure(.unavailable) = loop.answers(to: "poison")[0] else {
      Issue.record("\(loop.answers(to: "poison"))")
      return
    }
    let (known, held, last) = try (
      placed("known", loop), placed("held", loop), placed("last", loop)
    )
    #expect(try placed("known again", loop) == known)
    #expect(try marks(loop) == [try placed("first", loop), known, held, last])
  }

  @Test func `another leader comes first: all that is left is answered once, and nothing stored`()
    async throws
  {
    let loop = try await interrupting { loop, _ in
      let state = loop.board.current.state
      let command = TakeLeadership(
        instance: "two", address: "http://two", database: state.log.era!.database,
        formatLevel: state.log.formatLevel, secretFingerprint: Rig.secret.fingerprint)
      return (command, .wharfd, nil)
    }
    for name in ["held", "known", "known again", "last"] {
      guard case .failure(.notLeading(address: "http://two")) = loop.answers(to: name)[0] else {
        Issue.record("\(name): \(loop.answers(to: name))")
        continue
      }
    }
    #expect(try marks(loop) == [try placed("first", loop)])
  }
}
