// The core of "The log" in the list of what must hold, as functions that return the faults they find.
// Interleavings are made with `Hold`, not left to luck: a wrong store fails each time.

import Hosting
import Postgres
import TestKit

struct StoreChecks<Store: StoreUnderTest> {
  let store: Store
  let database: TestDatabase

  /// By its number in the list, and what it is about.
  static var all: [(number: Int, about: String, check: (Self) async throws -> [Fault])] {
    [
      (1, "order", { try await $0.order() }),
      (3, "precondition", { try await $0.precondition() }),
      (4, "batch", { try await $0.batch() }),
      (5, "one id", { try await $0.oneID() }),
      (6, "refusal", { try await $0.refusalAmongOthers() }),
      (7, "lost answer", { try await $0.lostAnswer() }),
      (8, "open transaction", { try await $0.openTransaction() }),
      (10, "projection", { try await $0.projection() }),
    ]
  }

  private func send(
    _ command: StoreCommand, id: CommandID = .random()
  ) -> Task<StoreAnswer, Never> {
    Task { await store.settle(command, id: id) }
  }

  /// A command is held between its statement and its commit; others come meanwhile.
  private func meanwhile(
    _ held: StoreCommand, _ others: [(StoreCommand, CommandID)], aborted: Bool = false,
    look: () async throws -> Void = {}
  ) async throws -> (held: StoreAnswer, others: [StoreAnswer]) {
    let hold = try Hold(store, database)
    let first = send(held)
    try await hold.waitUntilHeld()
    let tasks = others.map { send($0.0, id: $0.1) }
    await answers(to: tasks, withinSeconds: Hold.patienceSeconds)
    try await look()
    if aborted { try hold.abort() } else { try hold.release() }
    var answers: [StoreAnswer] = []
    for task in tasks { answers.append(await task.value) }
    return (await first.value, answers)
  }

  /// Waits until all have their answers, or for as long as nothing that is wrong would take.
  private func answers(to tasks: [Task<StoreAnswer, Never>], withinSeconds limit: Double) async {
    let done = Flag()
    Task {
      for task in tasks { _ = await task.value }
      done.set()
    }
    try? await eventually("all have their answers", withinSeconds: limit) { done.isSet }
  }
}

// MARK: Order

/// A reader that goes on from the last position it saw.
private struct Tail<Store: StoreUnderTest> {
  let store: Store
  var seen: [StoreRow] = []

  mutating func read() async throws {
    seen += try await store.tail(after: seen.last?.position ?? 0)
  }
}

extension StoreChecks {
  /// The tail is the table, contiguous, without doubles; each client's order is kept.
  func order() async throws -> [Fault] {
    var faults: [Fault] = []
    var tail = Tail(store: store)
    for aborted in [false, true] {
      let other = StoreCommand.create("order-b-\(aborted)")
      _ = try await meanwhile(
        .create("order-a-\(aborted)"), [(other, .random())], aborted: aborted
      ) { try await tail.read() }
      try await tail.read()
    }
    var told: [[(CommandID, StoreAnswer)]] = []
    try await withThrowingTaskGroup(of: [(CommandID, StoreAnswer)].self) { group in
      for client in 0..<16 {
        group.addTask {
          var answers: [(CommandID, StoreAnswer)] = []
          for step in 0..<5 {
            let id = CommandID.random()
            answers.append((id, await store.settle(.create("order-\(client)-\(step)"), id: id)))
          }
          return answers
        }
      }
      for try await answers in group { told.append(answers) }
    }
    try await tail.read()
    let table = try await store.rows()
    if tail.seen != table {
      let missed = Set(table.map(\.position)).subtracting(tail.seen.map(\.position))
      faults.append(
        Fault("the tail is not the table: it lacks \(missed.count), the first \(missed.min() ?? 0)")
      )
    }
    if table.map(\.position) != table.indices.map({ Int64($0) + 1 }) {
      faults.append(Fault("positions are not contiguous"))
    }
    let ids = Set(table.map(\.id))
    for client in told {
      let positions = client.compactMap { id, answer -> Int64? in
        guard case .stored(let position) = answer, ids.contains(id) else { return nil }
        return position
      }
      if positions.count != client.count {
        faults.append(Fault("an acknowledged command is missing"))
      }
      if positions != positions.sorted() { faults.append(Fault("a client's order is not kept")) }
    }
    return faults
  }
}

// MARK: Decisions

extension StoreChecks {
  /// Of racers with one precondition one wins; what is stored is what was acknowledged.
  func precondition() async throws -> [Fault] {
    guard case .stored(let since) = await store.settle(.create("raced")) else {
      return [Fault("a name that is free was refused")]
    }
    let race = StoreCommand.suspend("raced", unchangedSince: since)
    let answers = try await meanwhile(race, (0..<7).map { _ in (race, .random()) })
    let wins = ([answers.held] + answers.others).count {
      if case .stored = $0 { true } else { false }
    }
    let stored = try await store.rows().count { $0.command?.isSuspend == true }
    var faults: [Fault] = []
    if wins != 1 { faults.append(Fault("\(wins) of 8 racers with one precondition won")) }
    if stored != wins { faults.append(Fault("\(stored) were stored and \(wins) acknowledged")) }
    let free = (0..<8).map { (StoreCommand.create("free-\($0)"), CommandID.random()) }
    let all = try await meanwhile(.create("free"), free)
    if !all.others.allSatisfy({ if case .stored = $0 { true } else { false } }) {
      faults.append(Fault("a racer without precondition was not stored"))
    }
    return faults
  }

  /// What the first breaks the second does not get; what fits singly only is had once.
  func batch() async throws -> [Fault] {
    _ = await store.settle(.create("broken"))
    _ = try await meanwhile(
      .suspend("broken"), [(.onboard("broken", model: "needs-it"), .random())])
    _ = try await meanwhile(.create("Once"), [(.create("ONCE"), .random())])
    // Both at once, behind another.
    _ = await store.settle(.create("both"))
    _ = try await meanwhile(
      .create("before-both"),
      [
        (.suspend("both"), .random()), (.onboard("both", model: "needs-it"), .random()),
        (.create("Twice"), .random()), (.create("TWICE"), .random()),
      ])
    return Self.contradictions(in: try await store.rows())
  }

  /// What no decision at its place in the table allows.
  static func contradictions(in rows: [StoreRow]) -> [Fault] {
    var names: Set<String> = []
    var suspended: Set<String> = []
    var faults: [Fault] = []
    for row in rows {
      switch row.command {
      case nil: break
      case .create(let name):
        if !names.insert(name.lowercased()).inserted {
          faults.append(Fault("'\(name)' exists twice"))
        }
      case .suspend(let name, _):
        if !suspended.insert(name).inserted { faults.append(Fault("\(name) is suspended twice")) }
      case .onboard(let name, _):
        if suspended.contains(name) { faults.append(Fault("\(name) took a model while suspended")) }
      }
    }
    return faults
  }

  /// A batch with one refusal: the others commit.
  func refusalAmongOthers() async throws -> [Fault] {
    _ = await store.settle(.create("taken"))
    let answers = try await meanwhile(
      .create("before-refusal"),
      [
        (.create("among-1"), .random()), (.create("TAKEN"), .random()),
        (.create("among-2"), .random()),
      ])
    let isRight =
      answers.others[1] == .refused
      && [answers.others[0], answers.others[2]].allSatisfy {
        if case .stored = $0 { true } else { false }
      }
    return isRight ? [] : [Fault("a refusal took others with it: \(answers.others)")]
  }
}

// MARK: Ids

extension StoreChecks {
  /// One id 32 times at once, and again later: one set of events, one result; another body an error. A
  /// refusal rests on what is stored.
  func oneID() async throws -> [Fault] {
    var faults: [Fault] = []
    let (id, command) = (CommandID.random(), StoreCommand.create("one-id"))
    let answers = try await meanwhile(
      .create("before-one-id"), (0..<32).map { _ in (command, id) })
    _ = await store.settle(.suspend("one-id"))
    let later = await store.settle(command, id: id)
    if Set(answers.others + [later]).count != 1 {
      faults.append(Fault("one id had \(Set(answers.others + [later]).count) results"))
    }
    let count = try await store.rows().count { $0.id == id }
    if count != 1 { faults.append(Fault("one id was stored \(count) times")) }
    if await store.settle(.create("another-body"), id: id) != .idUsedOtherwise {
      faults.append(Fault("an id was taken for another body"))
    }
    // The held command is given up with its connection; only who stored it may refuse the other.
    let hold = try Hold(store, database)
    let first = Task { await store.submit(.create("ghost"), id: .random()) }
    try await hold.waitUntilHeld()
    let second = Task { await store.submit(.create("ghost"), id: .random()) }
    await self.answers(to: [second], withinSeconds: Hold.patienceSeconds)
    try hold.abort()
    _ = await first.value
    let rows = try await store.rows()
    if await second.value == .refused, !rows.contains(where: { $0.command == .create("ghost") }) {
      faults.append(Fault("a refusal rests on an event that did not commit"))
    }
    return faults
  }

  /// The answer to a commit is lost: the command stands once, and its sender learns it.
  func lostAnswer() async throws -> [Fault] {
    var faults: [Fault] = []
    for round in 1...3 {
      let (id, name) = (CommandID.random(), "lost-\(round)")
      store.loseAnswer(about: name)
      let answer = await store.settle(.create(name), id: id)
      let rows = try await store.rows().filter { $0.id == id }
      if rows.count != 1 { faults.append(Fault("\(name) stands \(rows.count) times")) }
      if rows.first.map({ .stored(at: $0.position) }) != answer {
        faults.append(Fault("\(name) stands, and was answered with \(answer)"))
      }
    }
    return faults
  }
}

// MARK: Others

extension StoreChecks {
  /// A transaction that somebody leaves open holds up neither appends nor tails.
  func openTransaction() async throws -> [Fault] {
    var idle = try database.connect()
    try idle.script("BEGIN; SELECT pg_current_xact_id(); SELECT count(*) FROM \(store.table)")
    var tail = Tail(store: store)
    var last: Int64 = 0
    for number in 0..<5 {
      if case .stored(let position) = await store.settle(.create("beside-\(number)")) {
        last = position
      }
    }
    try await tail.read()
    let faults =
      tail.seen.last?.position == last && last > 0
      ? [] : [Fault("the tail stands still while a transaction is open")]
    try idle.script("ROLLBACK")
    return faults
  }

  /// A projector killed at any statement, started anew from its checkpoint, and a stale second one:
  /// the projection is the fold of the table.
  func projection() async throws -> [Fault] {
    for number in 0..<30 { _ = await store.settle(.create("projected-\(number)")) }
    // Killed at its first statement, its second, …; then once let live.
    var statement = 1
    while try await store.project(killedAfter: statement) {
      statement = statement == 8 ? 1 : statement + 1
    }
    for number in 0..<3 { _ = await store.settle(.create("stale-\(number)")) }
    try await store.projectStale()
    return try await store.projectionFaults()
  }
}
