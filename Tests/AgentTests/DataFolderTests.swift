// The agent's own folder: it is closed to others, so no other folder is taken for it.

import Glibc
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

  @Test func `who looks for an agent makes no folder`() throws {
    let none = folder.path("none")
    #expect(throws: DataFolder.Foreign.self) { try DataFolder(existing: none) }
    #expect(access(none, F_OK) != 0)
  }
}
