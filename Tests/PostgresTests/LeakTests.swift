// Descriptors and threads are given back. In a process of its own, where no other test opens any.

import Foundation
import Postgres
import TestKit
import Testing

@Suite(.database) struct LeakTests {
  @Test func `connections, pools and listeners give back descriptors and threads`() async throws {
    let url = TestDatabase.current.url
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) { [url = url as String] in
      let configuration = try PostgresConfiguration(url)
      try await useEverything(configuration)
      let before = try openDescriptors()
      for _ in 0..<5 { try await useEverything(configuration) }
      try await eventually { try openDescriptors() <= before }
      try await eventually { try threads(named: "wharf-pg") == 0 }
      guard try openDescriptors() <= before, try threads(named: "wharf-pg") == 0 else { exit(1) }
    }
    print(String(decoding: result?.standardErrorContent ?? [], as: UTF8.self))
  }
}

private func useEverything(_ configuration: PostgresConfiguration) async throws {
  let unreachable = try PostgresConfiguration("host=/nonexistent")
  var options = PoolOptions()
  options.lanes = 4
  let pool = try Pool(configuration, options: options)
  try await withThrowingTaskGroup(of: Void.self) { group in
    for index in 0..<16 {
      group.addTask {
        try await pool.withConnection { connection in
          _ = try? connection.query("SELECT pg_sleep(9)", timeout: .milliseconds(5))
          try connection.copyOut("COPY (SELECT \(index)) TO STDOUT") { _ in }
          #expect(throws: PostgresError.self) { _ = try Connection(unreachable) }
        }
      }
    }
    try await group.waitForAll()
  }
  let notifications = try listen(configuration, channel: "leaks").makeAsyncIterator()
  var iterator = notifications
  #expect(await iterator.next() == .listening)
  await pool.close()
}
