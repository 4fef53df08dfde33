// Starting a program with nothing of ours but what it is given: no signals that a thread of ours blocks or
// ignores, and of our descriptors only those named here. Others, such as sockets of libraries, would stay open
// until it ends.

import CLinux
import Glibc

package struct ProgramStart: Sendable {
  package enum Input: Sendable {
    case nothing
    case file(String)
    case descriptor(Int32)
  }

  /// Of standard output and standard error together.
  package enum Output: Sendable {
    /// At its end, in a file of its owner only.
    case file(String)
    case descriptor(Int32)
  }

  package struct Problem: Error, Equatable, CustomStringConvertible {
    package let program: String
    package let code: Int32

    package var reason: String { Files.reason(code) }
    package var description: String { "cannot start \(program): \(reason)" }
  }

  /// POSIX_SPAWN_SETSID, which Swift does not import.
  private static let newSession: Int32 = 0x80

  /// The program and its arguments.
  package var line: [String]
  /// Ours, where none is given.
  package var environment: [String: String]?
  package var input = Input.nothing
  package var output: Output
  /// The number there of a descriptor that is handed on.
  package static let inheritedDescriptor: Int32 = 3

  /// A descriptor of ours that it has, too.
  package var inherited: Int32?
  /// All our other descriptors are closed at once. Where they are not, those that close themselves do so when the
  /// program begins: a lock is held until then.
  package var closesOthers = true
  /// What ends our session, such as Ctrl-C, does not reach it.
  package var hasOwnSession = false
  /// The program may be a bare name, looked for where `PATH` says.
  package var isOnPath = false

  package init(_ line: [String], environment: [String: String]?, output: Output) {
    self.line = line
    self.environment = environment
    self.output = output
  }

  package func run() throws(Problem) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    switch input {
    case .nothing: posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    case .file(let path): posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0)
    case .descriptor(let ours): posix_spawn_file_actions_adddup2(&actions, ours, 0)
    }
    switch output {
    case .file(let path):
      posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    case .descriptor(let ours): posix_spawn_file_actions_adddup2(&actions, ours, 1)
    }
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    if let inherited {
      posix_spawn_file_actions_adddup2(&actions, inherited, Self.inheritedDescriptor)
    }
    if closesOthers {
      let first = inherited == nil ? Self.inheritedDescriptor : Self.inheritedDescriptor + 1
      wharf_spawn_close_from(&actions, first)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var every = sigset_t()
    sigemptyset(&none)
    sigfillset(&every)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &every)
    let session = hasOwnSession ? Self.newSession : 0
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session))
    let arguments = line.map { strdup($0) } + [nil]
    let variables = environment.map { environment in
      environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    }
    defer { for text in arguments + (variables ?? []) { free(text) } }
    var pid = pid_t()
    let start = isOnPath ? posix_spawnp : posix_spawn
    let status =
      variables.map { start(&pid, line[0], &actions, &attributes, arguments, $0) }
      ?? start(&pid, line[0], &actions, &attributes, arguments, environ)
    guard status == 0 else { throw Problem(program: line[0], code: status) }
    return pid
  }
}
