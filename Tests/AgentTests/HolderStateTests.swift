// What stands in the file of a holder may come from its engine.

import Machine
import Testing

@testable import Agent

@Suite struct `States of holders` {
  private func read(
    holder: (String, String) = ("7", "8"), engine: (String, String) = ("9", "10")
  ) async throws -> HolderState? {
    var state: HolderState?
    try await Workspace.use { workspace in
      let path = workspace.path + "/holder.json"
      let text = """
        {"phase": "running", "bootId": "b", "holderPid": \(holder.0),
        "holderStartTime": \(holder.1), "pid": \(engine.0), "startTime": \(engine.1)}
        """
      try Files.write(Array(text.utf8), to: path)
      state = HolderState.read(path)
    }
    return state
  }

  @Test func `are read with the processes they name`() async throws {
    let state = try await read()
    #expect(state?.holder == ProcessIdentity(pid: 7, startTime: 8))
    #expect(state?.engine == ProcessIdentity(pid: 9, startTime: 10))
    let starting = try await read(engine: ("null", "null"))
    #expect(starting != nil && starting?.engine == nil)
  }

  @Test(arguments: [
    ("2147483648", "1"), ("9223372036854775807", "1"), ("0", "1"), ("-1", "1"), ("1", "-1"),
  ])
  func `are not read when they name what is no process`(pid: String, start: String) async throws {
    #expect(try await read(holder: (pid, start)) == nil)
    #expect(try await read(engine: (pid, start)) == nil)
  }
}
