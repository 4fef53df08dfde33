// The next batch is decided while the one before it is under way: on a state that may never come
// about. A lock on the table holds that batch up for as long as a test needs.

import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

@Suite(.database, .bounded) struct AheadTests {
  private func mark(_ name: String) -> PlaceMark { PlaceMark(name: Name(known: name)) }

  /// One that leads; what a test holds up is given up by nobody.
  private func held() async throws -> Rig {
    try await Rig.leading(.current) {
      $0.statementTimeout = .seconds(3_600)
      $0.inbox.waitSeconds = 3_600
    }
  }

  /// The outcome of a command sent now.
  private func send(
    _ rig: Rig, _ command: any Command, id: CommandID = .random()
  ) -> Task<Result<Receipt, SubmitFailure>, Never> {
    Task {
      do throws(SubmitFailure) {
        return .success(try await rig.send(command, id: id))
      } catch {
        return .failure(error)
      }
    }
  }

  private func hold(_ connection: inout Connection) throws {
    try connection.script("BEGIN")
    try connection.script("LOCK TABLE log.events IN SHARE MODE")
  }

  private func waitingForLocks(_ rig: Rig) throws -> Int64 {
    var connection = try Connection(rig.database)
    // Who was given it and has not been let run since counts as waiting everywhere else.
    let rows = try connection.query(
      "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'log.events'::regclass")
    return try rows[0].decode(Int64.self, at: 0)
  }

  /// Waits until the log's append is held up.
  private func isHeldUp(_ rig: Rig) async throws {
    try await eventually("an append waits for the lock") { try self.waitingForLocks(rig) > 0 }
  }

  private func refusal(_ result: Result<Receipt, SubmitFailure>) -> (code: String, at: Position)? {
    guard case .failure(.refused(let refusal, let position)) = result else { return nil }
    return (refusal.code, position)
  }

  @Test func `what is decided ahead rests on the batch under way, once that is stored`()
    async throws
  {
    let rig = try await held()
    let before = rig.head.state.position
    var holder = try Connection(rig.database)
    try hold(&holder)
    let first = send(rig, mark("first"))
    try await isHeldUp(rig)
    let others = (0..<40).map { send(rig, mark("other-\($0)")) }
    let again = send(rig, mark("first"))
    // They reach the leader while its batch is held up; none is answered before it.
    try await Task.sleep(for: .milliseconds(100))
    #expect(rig.head.state.position == before)
    try holder.script("COMMIT")
    let stored = try await first.value.get().position
    for other in others { #expect(try await other.value.get().position > stored) }
    let refused = refusal(await again.value)
    #expect(refused?.code == "nameTaken")
    #expect((refused?.at ?? .empty) >= stored)
    _ = try rig.verified()
    await rig.stop()
  }

  @Test func `what was decided ahead is decided anew when another event came first`() async throws {
    let rig = try await held()
    var holder = try Connection(rig.database)
    try hold(&holder)
    let first = send(rig, mark("first"))
    try await isHeldUp(rig)
    let taken = send(rig, mark("taken"))
    let again = send(rig, mark("first"))
    try await Task.sleep(for: .milliseconds(100))
    // Someone else writes the position that the batch under way wants.
    let head = rig.head
    let request = CommandRequest(id: .random(), command: mark("taken"), principal: .tester)
    let foreign = Batch(
      [
        PendingCommand(
          request: request, seal: .zero, deadline: ContinuousClock.now, answer: { _ in })
      ], after: head.state, hash: head.hash, now: head.state.recordedAt, sealing: .nothing)
    try holder.execute(LogStatements.append(foreign.rows))
    try holder.script("COMMIT")
    #expect(try await first.value.get().position > head.state.position.next)
    #expect(refusal(await taken.value)?.code == "nameTaken")
    #expect(refusal(await again.value)?.code == "nameTaken")
    let marks = try rig.verified().filter { $0.type == "markPlaced" }
    #expect(marks.count == 2)
    await rig.stop()
  }

  @Test func `who is stored is answered while the batch after it is held up, and dies`()
    async throws
  {
    let rig = try await held()
    var holder = try Connection(rig.database)
    try hold(&holder)
    let first = send(rig, mark("first"))
    try await isHeldUp(rig)
    // Enough to leave at once, before those who are stored are answered.
    let others = (0..<40).map { send(rig, mark("other-\($0)")) }
    try await Task.sleep(for: .milliseconds(100))
    // In line behind the batch under way, and before the next.
    let (over, isOver) = AsyncStream<Void>.makeStream()
    let holding = Task.detached {
      var connection = try Connection(rig.database)
      try self.hold(&connection)
      for await _ in over {}
      try connection.script("COMMIT")
    }
    try await eventually("the next one waits for the table as well") {
      try self.waitingForLocks(rig) == 2
    }
    try holder.script("COMMIT")
    let stored = try await first.value.get().position
    try await isHeldUp(rig)
    #expect(rig.head.state.position == stored)
    try holder.execute(
      """
      SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE NOT granted AND relation = 'log.events'::regclass
      """)
    isOver.finish()
    try await holding.value
    for other in others { #expect(try await other.value.get().position > stored) }
    #expect(try rig.verified().filter { $0.type == "markPlaced" }.count == 41)
    await rig.stop()
  }

  /// Two commands of a person with reasons: one is under way, the other is decided ahead.
  private func ahead(
    _ loop: LoopRig, by principal: Principal, meanwhile: () -> Void
  ) async throws -> [Personal<Text>?] {
    var holder = try Connection(loop.database)
    try hold(&holder)
    loop.add(loop.request("under-way", by: principal, reason: Text("one")), as: "under way")
    try await eventually("it is held up") { try loop.isHeldUp() }
    meanwhile()
    loop.add(loop.request("ahead", by: principal, reason: Text("two")), as: "ahead")
    try await eventually("it is taken") { loop.inbox.isEmpty }
    try holder.script("COMMIT")
    let stored = try await [loop.receipt(of: "under way"), loop.receipt(of: "ahead")]
    var connection = try Connection(loop.database)
    let keys = PersonKeys(Rig.secret)
    try keys.prepareAll(&connection)
    return try stored.map { try keys.reason(of: $0.events[0]) }
  }

  @Test func `a key that is first used under way seals what is decided ahead`() async throws {
    let loop = try LoopRig(TestDatabase.current.configuration)
    try await loop.leads()
    let reasons = try await ahead(loop, by: .tester) {}
    #expect(reasons == [.known(Text("one")), .known(Text("two"))])
    try await loop.stop()
  }

  @Test func `a key that is destroyed meanwhile seals nothing that is decided ahead`() async throws
  {
    let loop = try LoopRig(TestDatabase.current.configuration)
    try await loop.leads()
    loop.add(loop.request("before", reason: Text("zero")), as: "before")
    let position = try await loop.receipt(of: "before").position
    let reasons = try await ahead(loop, by: .tester) { loop.keys.forget(ID(1), at: position) }
    #expect(reasons == [.known(Text("one")), .forgotten])
    try await loop.stop()
  }

  @Test func `a batch whose connection dies takes what was decided ahead with it`() async throws {
    let rig = try await held()
    var holder = try Connection(rig.database)
    try hold(&holder)
    let first = send(rig, mark("first"))
    try await isHeldUp(rig)
    let id = CommandID.random()
    let others = (0..<10).map { send(rig, mark("other-\($0)")) }
    let twice = [send(rig, mark("twice"), id: id), send(rig, mark("twice"), id: id)]
    try await Task.sleep(for: .milliseconds(100))
    try holder.execute(
      """
      SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE NOT granted AND relation = 'log.events'::regclass
      """)
    try holder.script("COMMIT")
    var places: Set<Position> = [try await first.value.get().position]
    for other in others { places.insert(try await other.value.get().position) }
    let results = [await twice[0].value, await twice[1].value]
    #expect(try results[0].get() == results[1].get())
    let marks = try rig.verified().filter { $0.type == "markPlaced" }
    #expect(marks.count == 12)
    #expect(places.count == 11)
    await rig.stop()
  }
}
