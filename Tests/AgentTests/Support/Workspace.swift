// A folder of one test, and the processes that belong to it.

import Agent
import Foundation
import Glibc
import Hosting
import Machine
import Synchronization
import TestTools
import Testing

/// What lives is ended and what was written removed when the test is over.
struct Workspace: Sendable {
  let path: String
  private let agents = Agents()

  /// Programs that the test started and has not waited for.
  private final class Agents: Sendable {
    let pids = Mutex<Set<pid_t>>([])
  }

  private init(path: String) { self.path = path }

  func started(_ agent: pid_t) { agents.pids.withLock { _ = $0.insert(agent) } }
  func reaped(_ agent: pid_t) { agents.pids.withLock { _ = $0.remove(agent) } }

  static func use(_ test: (Workspace) async throws -> Void) async throws {
    let template = "/tmp/wharf-agent-test.XXXXXX"
    var bytes = Array(template.utf8CString)
    guard mkdtemp(&bytes) != nil else { throw TestFailure("no folder for the test") }
    let path = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let workspace = Workspace(path: path)
    do {
      try await test(workspace)
    } catch {
      workspace.dump()
      workspace.clean()
      throw error
    }
    let left = workspace.processes()
    #expect(left.isEmpty, "processes left behind: \(left)")
    workspace.clean()
  }

  var data: String { path + "/data" }

  /// Processes with the mark of an attempt below this folder.
  func processes() -> [ProcessTable.Status] {
    Remains.all(below: path).values.flatMap { $0 }
  }

  private func clean() {
    for pid in agents.pids.withLock({ $0 }) {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
    for _ in 0..<100 {
      let left = processes()
      if left.isEmpty { break }
      for process in left { ProcessHandle(process.identity)?.signal(SIGKILL) }
      usleep(10_000)
    }
    try? Files.remove(path)
  }

  private func dump() {
    for name in (try? Files.list(path)) ?? [] where name.hasSuffix(".log") {
      let tail = String(decoding: Files.tail(path + "/" + name, bytes: 6000), as: UTF8.self)
      print("--- \(name)\n\(tail)")
    }
  }

  static func freePort() -> Int { ports(1).lowerBound }

  /// A range of ports that no other test uses.
  static func ports(_ count: Int = 20) -> ClosedRange<Int> {
    do { return try Ports.take(count) } catch { preconditionFailure("\(error)") }
  }
}

/// Someone else's socket on a port of ours.
final class Outsider: Sendable {
  private let descriptor: Int32

  init(port: Int, listening: Bool) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    precondition(status == 0, "the outsider cannot have port \(port)")
    if listening { listen() }
  }

  func listen() { precondition(Glibc.listen(descriptor, 8) == 0) }

  func leave() { close(descriptor) }
}
