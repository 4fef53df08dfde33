// A store that misses, doubles or reorders must be found, and its arm be void.

import Hosting
import Synchronization
import Testing

@testable import Bench

/// A store in memory that may be wrong in one way.
private final class WrongStore: AppendStore {
  enum Wrong: CaseIterable { case nothing, misses, doubles, reorders, skipsAPlace, addsItsOwn }

  let first: Int64? = 11
  private let wrong: Wrong
  private let entries = Mutex<[CommandID]>([])

  init(_ wrong: Wrong) { self.wrong = wrong }

  func produce(
    _ producer: Int, isOver: @escaping @Sendable () -> Bool
  ) async throws -> [Acknowledgement] {
    (0..<20).map { sequence in
      let id = Workload.commandID()
      let position = entries.withLock { entries in
        entries.append(id)
        return Int64(entries.count) + 10
      }
      return Acknowledgement(
        producer: producer, sequence: sequence, id: id,
        // A store that answers with no place can still be caught.
        position: wrong == .reorders ? nil : position, nanoseconds: 1_000)
    }
  }

  func readBack() async throws -> [StoredEntry] {
    var ids = entries.withLock { $0 }
    switch wrong {
    case .nothing, .skipsAPlace: break
    case .misses: ids.remove(at: 7)
    case .doubles: ids.append(ids[3])
    case .reorders: ids.swapAt(4, 5)
    case .addsItsOwn: ids.append(Workload.commandID())
    }
    let gap: Int64 = wrong == .skipsAPlace ? 1 : 0
    return ids.enumerated().map { index, id in
      StoredEntry(id: id, position: Int64(index) + 11 + (index > 9 ? gap : 0))
    }
  }
}

@Suite struct LedgerTests {
  private func run(_ wrong: WrongStore.Wrong) async throws -> Sample {
    try await AppendArm("arm", producers: 1, seconds: 1) { WrongStore(wrong) }.run()
  }

  @Test func `an arm whose store is right has its sample`() async throws {
    #expect(try await run(.nothing).events == 20)
  }

  @Test(arguments: WrongStore.Wrong.allCases.filter { $0 != .nothing })
  fileprivate func `an arm whose store is wrong is void`(_ wrong: WrongStore.Wrong) async throws {
    let void = await #expect(throws: VoidedArm.self) { _ = try await run(wrong) }
    let fault =
      switch wrong {
      case .nothing: ""
      case .misses: "acknowledged and not stored"
      case .doubles: "stored more than once"
      case .reorders: "out of the order"
      case .skipsAPlace: "a position out of line"
      case .addsItsOwn: "never acknowledged"
      }
    #expect(void?.faults.contains { $0.hasPrefix(fault) || $0.contains(fault) } == true, "\(void!)")
  }

  @Test func `a void arm is told apart, and the others stay`() async throws {
    let cluster = try Cluster.existing("postgres:///none")
    var settings = LogBench.Settings()
    settings.rounds = 1
    let report = await LogBench(settings, on: cluster) { _ in }.measure([
      AppendArm("good", producers: 2, seconds: 1) { WrongStore(.nothing) },
      AppendArm("bad", producers: 1, seconds: 1) { WrongStore(.doubles) },
    ])
    #expect(report.arms.map(\.name) == ["good"])
    #expect(report.voided.map(\.name) == ["bad"])
    #expect(report.table.contains("VOID bad: stored more than once"))
    #expect(report["bad"] == nil)
  }
}
