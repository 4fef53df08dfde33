// A check that cannot catch a store known to be wrong is worth nothing: the same checks find nothing in
// the log and in a small store that is right, and find each wrong one out.

import Hosting
import TestKit
import Testing

@Suite(.turn, .bounded) struct WrongStoreTests {
  /// Their own: together they need more connections than others leave them. It goes with the process.
  private static let cluster = Task {
    var settings = TestCluster.Settings()
    settings.maximumConnections = 600
    return try await TestCluster.dedicated(settings: settings)
  }

  /// Each check on a database of its own. By number: what was found.
  private func faults<Store: StoreUnderTest>(
    _ make: (TestDatabase) async throws -> Store
  ) async throws -> [Int: [Fault]] {
    var found: [Int: [Fault]] = [:]
    let cluster = try await Self.cluster.value
    for (number, _, check) in StoreChecks<Store>.all {
      let database = try await cluster.makeDatabase()
      try await TestDatabase.with(database) {
        let store = try await make(database)
        found[number] = try await check(StoreChecks(store: store, database: database))
        await store.end()
      }
      try await cluster.drop(database)
    }
    return found
  }

  private func tell(_ name: String, _ found: [Int: [Fault]]) {
    let cells = StoreChecks<ToyStore>.all.map { number, _, _ in
      (found[number] ?? []).isEmpty ? "\(number): -" : "\(number): FOUND"
    }
    print("\(name): \(cells.joined(separator: "  "))")
    for (number, faults) in found.sorted(by: { $0.key < $1.key }) {
      for fault in faults.prefix(2) { print("    \(number): \(fault)") }
    }
  }

  @Test func `the checks find nothing in Wharf's log`() async throws {
    let found = try await faults { try await LogStore($0) }
    tell("Wharf's log", found)
    for (number, faults) in found { #expect(faults == [], "check \(number)") }
  }

  /// The checks that must find each flaw, and those that may.
  private static func finders(of flaw: Flaw) -> (must: Set<Int>, may: Set<Int>) {
    switch flaw {
    case .none, .batches: ([], [])
    case .sequence: ([1], [])
    case .staleDecision: ([3, 4], [])
    case .checkpointBefore, .checkpointAfter: ([10], [])
    // Where a connection is waited for too long beside others, a statement of one id is sent again, too.
    case .blindRetry: ([7], [5])
    case .dirtyRefusal: ([5], [])
    case .oneRefusesAll: ([6], [])
    // Held up by whatever else is open in the cluster just then.
    case .gatedTail: ([8], [1])
    }
  }

  @Test(arguments: Flaw.allCases)
  func `the checks find what is wrong, and nothing in what is right`(flaw: Flaw) async throws {
    let found = try await faults { try ToyStore(flaw, $0) }
    tell(flaw.rawValue, found)
    let finding = Set(found.filter { !$0.value.isEmpty }.keys)
    let (must, may) = Self.finders(of: flaw)
    #expect(finding.subtracting(may) == must, "\(found.filter { !$0.value.isEmpty })")
  }
}
