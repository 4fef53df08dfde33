// Clients of a member in process, and their own list of what was acknowledged: the oracle.

import Hosting
import Synchronization
import TestKit
import Testing

@testable import EventLog

/// Sends marks from many tasks until told to stop; every command is retried under its id until
/// its outcome is known.
final class Storm: Sendable {
  let acknowledged = Mutex<[CommandID: Position]>([:])
  let refused = Mutex<Set<CommandID>>([])
  private let stopping = Mutex(false)

  func run(_ rig: @escaping @Sendable () -> Rig, clients: Int) -> Task<Void, Never> {
    Task {
      await withTaskGroup(of: Void.self) { group in
        for client in 0..<clients { group.addTask { await self.client(client, rig) } }
      }
    }
  }

  private func client(_ client: Int, _ rig: @Sendable () -> Rig) async {
    var step = 0
    while !stopping.withLock({ $0 }) {
      step += 1
      let id = CommandID.random()
      let command = PlaceMark(name: Name(known: "m-\(client)-\(step)"))
      while true {
        do {
          let receipt = try await rig().send(command, id: id, by: .tester(client))
          acknowledged.withLock { $0[id] = receipt.position }
          break
        } catch .refused, .idUsedOtherwise {
          _ = refused.withLock { $0.insert(id) }
          break
        } catch {
          // Not known, or not now: the same id again.
          try? await Task.sleep(for: .milliseconds(20))
        }
      }
    }
  }

  func stop() { stopping.withLock { $0 = true } }
  var count: Int { acknowledged.withLock { $0.count } }

  /// Each acknowledged command stands once, where it was told; nothing else stands.
  func check(_ rig: Rig) throws {
    let table = try rig.verified()
    let stored = Dictionary(grouping: table.filter { $0.type == "markPlaced" }, by: \.commandID)
    let acknowledged = acknowledged.withLock { $0 }
    #expect(stored.values.allSatisfy { $0.count == 1 })
    #expect(refused.withLock { $0.isEmpty }, "no name was sent twice, so none is refused")
    for (id, position) in acknowledged { #expect(stored[id]?.first?.position == position) }
    #expect(stored.count == acknowledged.count)
  }
}
