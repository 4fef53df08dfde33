// A real process under a test: spawned, waited for with a deadline, and never left behind.

import Foundation
import Glibc
import Synchronization

/// How a process ended.
package enum ExitStatus: Equatable, Sendable {
  case code(Int32)
  case signal(Int32)

  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .code((waitStatus >> 8) & 0xff) : .signal(signal)
  }
}

package final class Child: Sendable {
  package let pid: pid_t
  package let outputPath: String
  package let errorPath: String
  private let ended = Mutex<ExitStatus?>(nil)

  /// Starts `arguments` with exactly `environment`; its output goes to two files in `folder`.
  /// - Parameter leakedDescriptor: also left open in the child under this number.
  package init(
    _ arguments: [String], environment: [String: String], folder: TestFolder,
    leakedDescriptor: Int32? = nil
  ) throws {
    let name = UUID().uuidString
    outputPath = folder.path("\(name).out")
    errorPath = folder.path("\(name).err")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errorPath, flags, 0o600)
    if let leakedDescriptor {
      posix_spawn_file_actions_adddup2(&actions, 1, leakedDescriptor)
    }
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var pid: pid_t = 0
    let result = posix_spawnp(&pid, arguments[0], &actions, nil, &argv, &envp)
    guard result == 0 else {
      throw TestFailure("cannot spawn \(arguments[0]): \(String(cString: strerror(result)))")
    }
    self.pid = pid
  }

  package func send(_ signal: Int32) { kill(pid, signal) }

  /// Whether it has ended; reaps it then.
  package func status() -> ExitStatus? {
    ended.withLock { ended in
      if ended == nil {
        var status: Int32 = 0
        if waitpid(pid, &status, WNOHANG) == pid { ended = ExitStatus(waitStatus: status) }
      }
      return ended
    }
  }

  /// - Throws: `TestFailure` when it still runs at the deadline.
  @discardableResult
  package func waitForExit(withinSeconds limit: Double = 20) async throws -> ExitStatus {
    try await eventually("process \(pid) ends", withinSeconds: limit) { self.status() }
  }

  package var output: String { contents(outputPath) }
  package var errors: String { contents(errorPath) }

  private func contents(_ path: String) -> String {
    (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }

  deinit {
    guard status() == nil else { return }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }
}
