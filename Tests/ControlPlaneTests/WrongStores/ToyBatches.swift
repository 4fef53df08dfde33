// Batches for the small store: what comes while an append is under way waits, and is then decided one after
// another on what those before it leave, and stored in one transaction.

import Hosting
import Postgres
import Synchronization

/// Collects what is sent while an earlier lot is under way.
final class Lots<Item: Sendable, Answer: Sendable>: Sendable {
  typealias Waiting = (item: Item, answer: CheckedContinuation<Answer, Never>)

  private struct State {
    var waiting: [Waiting] = []
    var isUnderWay = false
  }

  private let state = Mutex(State())

  /// - Parameter work: answers a lot; one runs at a time.
  func send(_ item: Item, work: @escaping @Sendable ([Item]) async -> [Answer]) async -> Answer {
    await withCheckedContinuation { answer in
      let isFirst = state.withLock { state in
        state.waiting.append((item, answer))
        defer { state.isUnderWay = true }
        return !state.isUnderWay
      }
      if isFirst { Task { await self.run(work) } }
    }
  }

  private func take() -> [Waiting] {
    state.withLock { state in
      defer { state.waiting = [] }
      state.isUnderWay = !state.waiting.isEmpty
      return state.waiting
    }
  }

  private func run(_ work: @Sendable ([Item]) async -> [Answer]) async {
    while true {
      let lot = take()
      if lot.isEmpty { return }
      let answers = await work(lot.map(\.item))
      for (waiting, answer) in zip(lot, answers) { waiting.answer.resume(returning: answer) }
    }
  }
}

extension ToyStore {
  func gather(_ command: StoreCommand, _ id: CommandID) async -> StoreAnswer {
    await gathered.send((command, id)) { [self] lot in
      while true {
        do { return try await append(lot) } catch {
          // Someone was first, or the outcome is not known: look again.
        }
      }
    }
  }

  private func append(_ lot: [(command: StoreCommand, id: CommandID)]) async throws -> [StoreAnswer]
  {
    let before = Seen(rows: try await rows())
    var seen = before
    var answers: [StoreAnswer] = []
    for (command, id) in lot {
      if let answer = seen.known(command, id) ?? seen.decide(command) {
        answers.append(answer)
        continue
      }
      let position = seen.head + 1
      seen.rows.append(StoreRow(position: position, id: id, command: command.stored))
      answers.append(.stored(at: position))
    }
    if flaw == .oneRefusesAll, answers.contains(.refused) { return lot.map { _ in .refused } }
    let new = seen.rows.dropFirst(before.rows.count)
    if !new.isEmpty { try await insert(new, after: before) }
    return answers
  }
}
