// Descriptors and threads are given back. In a process of its own, where no other test opens any.

import Foundation
import Postgres
import TestKit
import Testing

@Suite(.database, .bounded) struct LeakTests {
  @Test func `connections, pools and listeners give back descriptors and threads`() async throws {
    let url = TestDatabase.current.url
    await #expect(processExitsWith: .success) { [url = url as String] in
      let configuration = try PostgresConfiguration(url)
      try await useEverything(configuration)
      // What measures the machine has a descriptor, too.
      _ = Pace.slowness
      let before = try openDescriptors()
      for _ in 0..<5 { try await useEverything(configuration) }
      try await eventually { try openDescriptors() <= before }
      try await eventually { try threads(named: "wharf-pg") == 0 }
    }
  }
}

private func useEverything(_ configuration: PostgresConfiguration) async throws {
  let folder = try TestFolder()
  let unreachable = try PostgresConfiguration("host=\(folder.path("none"))")
  var options = PoolOptions()
  options.lanes = 4
  options.acquireTimeoutSeconds = 60
  let pool = try Pool(configuration, options: options)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for index in 0..<16 {
      group.addTask {
        try await pool.withConnection { connection in
          try connection.copyOut("COPY (SELECT \(index)) TO STDOUT") { _ in }
          // Cancels, and on a busy machine gives up a connection now and then.
          _ = try? connection.query("SELECT pg_sleep(9)", timeout: .milliseconds(5))
          #expect(throws: PostgresError.self) { _ = try Connection(unreachable) }
        }
      }
    }
    try await group.waitForAll()
  }
  var events = try listen(configuration, channel: "leaks").makeAsyncIterator()
  #expect(await events.next() == .listening)
  await pool.close()
}
