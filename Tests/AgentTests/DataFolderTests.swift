// The agent's own folder: it is closed to others, so no other folder is taken for it.

import Glibc
import Hosting
import Machine
import TestTools
import Testing

@testable import Agent

@Suite struct DataFolderTests {
  private let folder = try! TestFolder()

  private func mode(_ path: String) -> mode_t {
    var facts = stat()
    return stat(path, &facts) == 0 ? facts.st_mode & 0o777 : 0
  }

  @Test func `what is in somebody's folder is not an agent's, and is left as it is`() throws {
    let others = folder.path("home")
    mkdir(others, 0o755)
    chmod(others, 0o755)
    try Files.write([], to: others + "/letters")
    for make in [{ try DataFolder(others) }, { try DataFolder(existing: others) }] {
      let problem = #expect(throws: DataFolder.Foreign.self) { _ = try make() }
      #expect(problem?.description.contains(others) == true)
    }
    #expect(mode(others) == 0o755)
    #expect(try Files.list(others) == ["letters"])
  }

  @Test func `an agent takes a folder that is new or empty, and finds it again`() throws {
    let (new, empty) = (folder.path("new"), folder.path("empty"))
    mkdir(empty, 0o755)
    mkdir(empty + "/lost+found", 0o700)
    for path in [new, empty] {
      #expect(throws: DataFolder.Foreign.self) { try DataFolder(existing: path) }
      _ = try DataLock(try DataFolder(path))
      #expect(mode(path) == 0o700)
      _ = try DataFolder(existing: path)
    }
  }

  @Test func `a folder is waited for while a process of the agent before is being started`()
    async throws
  {
    let data = try DataFolder(folder.path("data"))
    func hold() async throws -> Child {
      let child = try Child(
        ["/usr/bin/flock", "--no-fork", data.path + "/lock", "/bin/sleep", "1000"],
        environment: [:], folder: folder)
      let probe = open(data.path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      defer { close(probe) }
      try await eventually("it is held") {
        let isHeld = flock(probe, LOCK_EX | LOCK_NB) != 0
        if !isHeld { flock(probe, LOCK_UN) }
        return isHeld
      }
      return child
    }
    let agent = try await hold()
    #expect(throws: DataLock.Held.self) { try DataLock(data, patienceMilliseconds: 100) }
    agent.send(SIGKILL)
    _ = try await agent.waitForExit()
    // As a process that is being started does, until it is the holder.
    let starting = try await hold()
    var looks = 0
    _ = try DataLock(data, patienceMilliseconds: 600_000) {
      looks += 1
      if looks == 3 { starting.send(SIGKILL) }
    }
    #expect(looks >= 3)
    _ = try await starting.waitForExit()
  }

  @Test(arguments: ["", "{}", "[]"])
  func `a node's name that was lost is told with the way out`(_ content: String) throws {
    let path = folder.path("emptied")
    let data = try DataFolder(path)
    try Files.write(Array(content.utf8), to: path + "/node.json")
    let problem = #expect(throws: Malformed.self) { try data.membership() }
    let words = problem?.description ?? ""
    for part in [path + "/node.json", "wharf node show", "wharf node remove"] {
      #expect(words.contains(part), "\(words)")
    }
  }

  @Test func `who looks for an agent makes no folder`() throws {
    let none = folder.path("none")
    #expect(throws: DataFolder.Foreign.self) { try DataFolder(existing: none) }
    #expect(access(none, F_OK) != 0)
  }
}
