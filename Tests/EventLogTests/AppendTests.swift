// Appending: order, batches, preconditions, ids for ever. On real PostgreSQL, many clients at once.

import Hosting
import Postgres
import Synchronization
import TestKit
import Testing

@testable import EventLog

@Suite(.database) struct AppendTests {
  @Test func `sixteen clients and a tail: the tail is the table, gapless, each client in order`()
    async throws
  {
    let rig = try await Rig.leading(.current)
    let reader = LogReader(pool: try Pool(rig.database), keys: PersonKeys(Rig.secret))
    let done = Mutex(false)
    let tail = Task {
      var seen: [StoredEvent] = []
      while true {
        let finished = done.withLock { $0 }
        let page = try await reader.events(
          after: seen.last?.position ?? .empty, limit: LogReader.pageLimit)
        seen += page
        if finished, page.isEmpty { return seen }
      }
    }
    for stream in 0..<100 { try await rig.send(RegisterProvider(name: Name(known: "p\(stream)"))) }
    let acknowledged = try await withThrowingTaskGroup(of: [Position].self) { group in
      for client in 0..<16 {
        group.addTask {
          var positions: [Position] = []
          for step in 0..<50 {
            let name = Name(known: "p\((client * 31 + step * 7) % 100)")
            let receipt = try await rig.send(
              step % 2 == 0 ? SuspendProvider(provider: name) : ReinstateProvider(provider: name),
              by: .tester(client))
            positions.append(receipt.position)
          }
          return positions
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    done.withLock { $0 = true }
    let table = try rig.verified()
    let tailed = try await tail.value
    #expect(tailed == table)
    for positions in acknowledged { #expect(positions == positions.sorted()) }
    let distinct = Set(acknowledged.flatMap { $0 })
    #expect(distinct.count == 800)
    #expect(table.count == 904)
    await rig.stop()
  }

  @Test func `of racers with one precondition one wins; without, all are stored`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.send(RegisterProvider(name: Name(known: "xai")))
    let before = rig.head.state.position
    let wins = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<20 {
        group.addTask {
          do {
            let receipt = try await rig.send(
              SuspendProvider(provider: Name(known: "xai")), unchangedSince: before)
            return receipt.events[0].type == "providerSuspended"
          } catch { return false }
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(wins == 1)
    let marks = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<20 {
        group.addTask { (try? await rig.send(PlaceMark(name: Name(known: "m\(number)")))) != nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(marks == 20)
    let types = try rig.verified().map(\.type)
    #expect(types.count { $0 == "markPlaced" } == 20)
    #expect(types.count { $0 == "providerSuspended" } == 1)
    await rig.stop()
  }

  @Test func `one id, 32 times at once and again later: one set of events, the identical result`()
    async throws
  {
    let rig = try await Rig.leading(.current)
    let id = CommandID.random()
    let command = RegisterProvider(name: Name(known: "xai"))
    let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
      for _ in 0..<32 { group.addTask { try await rig.send(command, id: id) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    try await rig.send(SuspendProvider(provider: Name(known: "xai")))
    let later = try await rig.send(command, id: id)
    #expect(receipts.allSatisfy { $0 == later })
    let stored = try rig.verified().filter { $0.commandID == id }
    #expect(stored.count == 1)
    await #expect(throws: SubmitFailure.idUsedOtherwise(at: later.position)) {
      try await rig.send(RegisterProvider(name: Name(known: "other")), id: id)
    }
    await #expect(throws: SubmitFailure.idUsedOtherwise(at: later.position)) {
      try await rig.send(command, id: id, by: .tester(9))
    }
    await rig.stop()
  }

  @Test func `an id is known for ever, also by the next leader`() async throws {
    let rig = try await Rig.leading(.current)
    let id = CommandID.random()
    let first = try await rig.send(RegisterProvider(name: Name(known: "xai")), id: id)
    await rig.stop()
    let next = try Rig(rig.database, instance: "two")
    try await next.leads()
    let again = try await next.send(RegisterProvider(name: Name(known: "xai")), id: id)
    #expect(again == first)
    await next.stop()
  }

  @Test func `a command that changes nothing is noted, and its id is kept`() async throws {
    let rig = try await Rig.leading(.current)
    try await rig.send(RegisterProvider(name: Name(known: "xai")))
    let id = CommandID.random()
    let receipt = try await rig.send(ReinstateProvider(provider: Name(known: "xai")), id: id)
    #expect(receipt.events.map(\.type) == ["commandNoted"])
    try await rig.send(SuspendProvider(provider: Name(known: "xai")))
    let again = try await rig.send(ReinstateProvider(provider: Name(known: "xai")), id: id)
    #expect(again == receipt)
    #expect(rig.head.state.providers.sorted[0].suspendedAt != nil)
    await rig.stop()
  }

  @Test func `a command of wharfd's own that changes nothing leaves nothing in the log`()
    async throws
  {
    let rig = try await Rig.leading(.current)
    let before = rig.head.state.position
    for _ in 0..<3 {
      await #expect(throws: SubmitFailure.changesNothing(at: before)) {
        try await rig.send(RaiseFormatLevel(level: FormatLevel.current, readers: []), by: .wharfd)
      }
    }
    let after = try await rig.send(RegisterProvider(name: Name(known: "xai")))
    #expect(after.position == before.next)
    await rig.stop()
  }

  @Test func `commands that are sent in order are decided in it, whoever sends besides`()
    async throws
  {
    let rig = try await Rig.leading(.current)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for caller in 0..<8 {
        group.addTask {
          for step in 0..<40 {
            try await rig.send(
              PlaceMark(name: Name(known: "of-\(caller)-\(step)")), by: .tester(caller))
          }
        }
      }
      group.addTask {
        for round in 0..<8 {
          // More than go into one batch.
          let requests = (0..<300).map { step in
            CommandRequest(
              id: .random(), command: PlaceMark(name: Name(known: "round-\(round)-\(step)")),
              principal: .tester)
          }
          let answers = await rig.member.submit(inOrder: requests)
          let positions = try answers.map { try $0.get().position }
          try #require(positions.count == requests.count)
          #expect(positions == positions.sorted(), "round \(round)")
          for (request, answer) in zip(requests, answers) {
            #expect(try answer.get().events[0].commandID == request.id)
          }
        }
      }
      try await group.waitForAll()
    }
    await rig.stop()
  }

  @Test func `those after one that finds no room find none either`() async throws {
    let rig = try await Rig.leading(.current) { $0.inbox.commandsPerActor = 5 }
    let answers = await rig.member.submit(
      inOrder: (0..<8).map { step in
        CommandRequest(
          id: .random(), command: PlaceMark(name: Name(known: "m-\(step)")), principal: .tester)
      })
    #expect(answers.count == 8)
    for answer in answers.prefix(5) { _ = try answer.get() }
    for answer in answers.dropFirst(5) { #expect(answer == .failure(.busy)) }
    await rig.stop()
  }

  @Test func `names differ only in case: one wins, whoever comes first`() async throws {
    let rig = try await Rig.leading(.current)
    let won = await withTaskGroup(of: Bool.self) { group in
      for name in ["xAI", "XAI", "xai", "Xai"] {
        group.addTask {
          (try? await rig.send(RegisterProvider(name: Name(known: name)))) != nil
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(won == 1)
    await rig.stop()
  }
}
