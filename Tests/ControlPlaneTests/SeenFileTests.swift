// What a wharfd keeps of the log for its next start.

import EventLog
import Foundation
import Glibc
import Hosting
import Synchronization
import TestKit
import Testing

@testable import Wire

@Suite struct SeenFileTests {
  private let folder = try! TestFolder()

  private func witness(_ position: Int64) -> HeadWitness {
    HeadWitness(
      era: Position(1), position: Position(position),
      hash: Digest(sha256Of: Array("\(position)".utf8)))
  }

  @Test func `the next start finds what was kept last, also after a position that was longer`()
    throws
  {
    let path = folder.path("seen")
    let file = try SeenFile(path, of: .wharfd) { Issue.record("\($0)") }
    #expect(file.kept == nil)
    for position in [1, 9_223_372_036_854_775_807, 7] as [Int64] {
      file.keep(witness(position))
      #expect(try SeenFile(path, of: .wharfd) { Issue.record("\($0)") }.kept == witness(position))
    }
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    // Where the run before left it, the next goes on.
    let next = try SeenFile(path, of: .wharfd) { Issue.record("\($0)") }
    next.keep(witness(8))
    #expect(try SeenFile(path, of: .wharfd) { Issue.record("\($0)") }.kept == witness(8))
  }

  @Test func `a file that no wharfd wrote is not passed over`() throws {
    let path = folder.path("seen")
    for text in ["", "{}", #"{"head":{"era":1}}"#, "\0\0\0\0"] {
      try Data(text.utf8).write(to: URL(filePath: path))
      let problem = #expect(throws: SeenFile.Problem.self) {
        try SeenFile(path, of: .wharfd) { _ in }
      }
      #expect(problem?.description.contains(path) == true)
    }
  }

  @Test func `where it cannot be kept that is said once`() throws {
    let said = Mutex(0)
    let file = try SeenFile(folder.path("no/such/folder"), of: .wharfd) { _ in
      said.withLock { $0 += 1 }
    }
    for position in 1...3 { file.keep(witness(Int64(position))) }
    #expect(said.withLock { $0 } == 1)
    #expect(file.kept == witness(3))
  }
}
