// The log of Wharf itself, for the checks: a leading member that reaches its database through a proxy,
// its reader, its projection.

import EventLog
import Hosting
import Postgres
import TestKit

@testable import ControlPlane
@testable import EventLog

final class LogStore: StoreUnderTest {
  private struct Killed: Error {}
  private static let batchEvents = 5

  let name = "Wharf's log"
  let table = "log.events"
  private let member: LogMember
  private let task: Task<Void, any Error>
  private let proxy: PostgresProxy
  private let pool: Pool

  init(_ database: TestDatabase) async throws {
    _ = try Migrator.migrate(database.configuration)
    proxy = try PostgresProxy(server: database.cluster.folder)
    pool = try Pool(database.configuration)
    var settings = LogSettings(
      database: try PostgresConfiguration(proxy.url(database: database.name)), instance: "one",
      address: "http://one", makeCommandID: { .random() })
    settings.pollInterval = .milliseconds(100)
    let member = try LogMember(settings: settings, secret: LogRig.secret, logger: .quiet)
    self.member = member
    task = Task { try await member.run() }
    try await eventually("it leads") {
      if case .leading = member.board.current.standing { true } else { false }
    }
    try await onThread { connection in
      _ = try Rebuild.run(&connection, keys: PersonKeys(LogRig.secret)) { _ in }
    }
  }

  func end() async {
    member.stop()
    _ = try? await task.value
    proxy.close()
    await pool.close()
  }

  func loseAnswer(about name: String) { proxy.loseAnswer(toRequestWith: "\"\(name)\"") }

  private static let principal = Principal(actor: .of(Stream(.person, 3)), role: .admin)

  private func send(
    _ command: any Command, id: CommandID = .random(), since: Int64? = nil
  ) async throws -> Receipt {
    try await member.submit(
      CommandRequest(
        id: id, command: command, principal: Self.principal,
        unchangedSince: since.map { Position($0) }))
  }

  func submit(_ command: StoreCommand, id: CommandID) async -> StoreAnswer {
    do {
      let receipt: Receipt
      switch command {
      case .create(let name):
        receipt = try await send(RegisterProvider(name: Name(known: name)), id: id)
      case .suspend(let name, let since):
        receipt = try await send(SuspendProvider(provider: Name(known: name)), id: id, since: since)
      case .onboard(let provider, let model):
        try await sign(provider)
        receipt = try await send(
          OnboardModel(
            model: try! ModelReference(jsonText: "\(provider)/\(model)"), task: .chat,
            contextLength: nil), id: id)
      }
      return receipt.events[0].type == "commandNoted"
        ? .noted : .stored(at: receipt.position.value)
    } catch SubmitFailure.refused {
      return .refused
    } catch SubmitFailure.idUsedOtherwise {
      return .idUsedOtherwise
    } catch {
      return .unknown
    }
  }

  /// Models come with an agreement.
  private func sign(_ provider: String) async throws {
    let terms = Terms(
      scope: [.inference], audiences: [.internal], from: Timestamp("2025-01-01")!, until: nil,
      noticeDays: 1)
    do {
      _ = try await send(SignAgreement(provider: Name(known: provider), terms: terms))
    } catch let failure as SubmitFailure {
      guard case .refused = failure else { throw failure }
    }
  }

  // MARK: Reading

  private func row(_ event: StoredEvent, _ names: [Stream: String]) throws -> StoreRow {
    let command: StoreCommand?
    switch try event.decoded() {
    case let made as ProviderRegistered: command = .create(made.name.description)
    case is ProviderSuspended: command = .suspend(names[event.stream] ?? "?")
    case let made as ModelOnboarded:
      command = .onboard(names[made.provider.stream] ?? "?", model: made.name.description)
    default: command = nil
    }
    return StoreRow(position: event.position.value, id: event.commandID, command: command)
  }

  private func rows(_ events: [StoredEvent], all: [StoredEvent]) throws -> [StoreRow] {
    var names: [Stream: String] = [:]
    for event in all {
      if let made = try event.decoded() as? ProviderRegistered {
        names[event.stream] = made.name.description
      }
    }
    return try events.map { try row($0, names) }
  }

  private func table(of database: TestDatabase) async throws -> [StoredEvent] {
    try await onThread { try LogReader.events(after: .empty, limit: 1_000, on: &$0) }
  }

  func rows() async throws -> [StoreRow] {
    let all = try await table(of: .current)
    return try rows(all, all: all)
  }

  func tail(after position: Int64) async throws -> [StoreRow] {
    let page = try await LogReader(pool: pool, keys: PersonKeys(LogRig.secret)).page(
      of: .all, after: Position(position), limit: LogReader.pageLimit, window: 10_000)
    return try rows(page.events, all: try await table(of: .current))
  }

  // MARK: Projecting

  private static func next(
    _ connection: inout Connection
  ) throws -> ViewChanges? {
    guard case .at(let checkpoint) = try ViewStore().standing(&connection) else {
      throw ViewsTestFailure(description: "there are no views")
    }
    let events = try LogReader.events(after: .empty, limit: 1_000, on: &connection)
    var projection = Projection(keys: PersonKeys(LogRig.secret))
    try projection.skip(events.prefix { $0.position <= checkpoint.position })
    let batch = events.dropFirst(Int(checkpoint.position.value)).prefix(batchEvents)
    return batch.isEmpty ? nil : projection.advance(Array(batch)).changes
  }

  func project(killedAfter statement: Int) async throws -> Bool {
    try await onThread { connection in
      guard let changes = try Self.next(&connection) else { return false }
      var store = ViewStore()
      store.afterStatement = { if $0 == statement { throw Killed() } }
      do { try store.apply(changes, &connection) } catch is Killed {}
      return true
    }
  }

  func projectStale() async throws {
    try await onThread { connection in
      guard let changes = try Self.next(&connection) else { return }
      try ViewStore().apply(changes, &connection)
      do { try ViewStore().apply(changes, &connection) } catch is Fenced {}
    }
  }

  func projectionFaults() async throws -> [Fault] {
    try await onThread { connection in
      try tablesThatDiffer(&connection).map { Fault("views.\($0) is not the fold of the log") }
    }
  }
}
