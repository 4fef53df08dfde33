// A real process under a test: spawned, waited for with a deadline, and never left behind. Foundation's
// `Process` is not used: its waits have no limit, and end on a run loop that may never hear of the end.

import CLinux
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
  /// - Parameter input: what it reads; nothing, unless told otherwise.
  /// - Parameter leakedDescriptor: also left open in the child under this number.
  package convenience init(
    _ arguments: [String], environment: [String: String], folder: TestFolder,
    leakedDescriptor: Int32? = nil
  ) throws {
    try self.init(
      arguments, environment: environment, folder: folder.root, leakedDescriptor: leakedDescriptor)
  }

  package init(
    _ arguments: [String], environment: [String: String], folder: String, input: String = "",
    leakedDescriptor: Int32? = nil
  ) throws {
    let name = "\(folder)/\(UUID().uuidString)"
    outputPath = "\(name).out"
    errorPath = "\(name).err"
    var inputPath = "/dev/null"
    if !input.isEmpty {
      inputPath = "\(name).in"
      try Data(input.utf8).write(to: URL(filePath: inputPath))
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, inputPath, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, outputPath, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errorPath, flags, 0o600)
    // Others' sockets, which NIO opens for children too, would stay open until this one ends.
    wharf_spawn_close_from(&actions, 3)
    if let leakedDescriptor {
      posix_spawn_file_actions_adddup2(&actions, 1, leakedDescriptor)
    }
    // A thread may block signals, and a child would inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var pid: pid_t = 0
    let result = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argv, &envp)
    guard result == 0 else {
      throw TestFailure("cannot spawn \(arguments[0]): \(String(cString: strerror(result)))")
    }
    self.pid = pid
  }

  /// Nothing is sent to one that was reaped: its number may be another process's by now.
  package func send(_ signal: Int32) {
    ended.withLock { ended in
      if ended == nil { kill(pid, signal) }
    }
  }

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
  package func waitForExit(withinSeconds limit: Double = Pace.patienceSeconds) async throws
    -> ExitStatus
  {
    try await eventually("process \(pid) ends", withinSeconds: limit) { self.status() }
  }

  /// As above, on a thread that may block.
  @discardableResult
  package func blockUntilExit(withinSeconds limit: Double = Pace.patienceSeconds) throws
    -> ExitStatus
  {
    let watch = Stopwatch()
    while true {
      let isLate = watch.seconds >= limit
      if let status = status() { return status }
      if isLate { throw TestFailure("waited \(limit) s in vain until process \(pid) ends") }
      usleep(2_000)
    }
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
