// Starts the programs of a system so that they outlive us and can be found again.
//
// A new process writes its own record before it becomes the program. Until then it holds the
// supervisor's lock open, which it inherited: whoever gets the lock after us finds a record of
// every program that was ever started, also when we were killed at any moment in between.

import CLinux
import Crypto
import Glibc
import Hosting
import Machine
import Time

struct Command: Hashable, Sendable {
  var line: [String]
  var environment: [String: String]
  /// What of the environment makes it another program when it changes.
  var particular: [String: String] = [:]
  var folder: String

  var digest: String {
    let added: [String] = particular.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var bytes: [UInt8] = []
    for part in line + added { bytes += Array(part.utf8) + [0] }
    return Array(SHA256.hash(data: bytes).prefix(8)).hexadecimal
  }
}

struct Launcher: Sendable {
  /// POSIX_SPAWN_SETSID, which Swift does not import.
  private static let newSession: Int32 = 0x80
  static let inheritedDescriptor: Int32 = 3

  /// `$1` the file of the record, `$2` the digest, `$3` the folder, then the command line.
  private static let script = """
    read -r pid _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ start _ </proc/$$/stat || exit 126
    read -r boot </proc/sys/kernel/random/boot_id || exit 126
    printf '%s %s %s %s\\n' "$pid" "$start" "$boot" "$2" >"$1" || exit 126
    cd "$3" || exit 126
    shift 3
    exec "$@" 3>&-
    """

  let layout: Layout
  let lock: SupervisorLock

  /// Starts a program in a session of its own, with its output at the end of its log.
  func start(
    _ name: String, _ command: Command, input: String = "/dev/null"
  ) throws(UpFailure) -> RunningProcess {
    let line =
      ["/bin/sh", "-c", Self.script, "sh", layout.record(name), command.digest, command.folder]
      + command.line
    let pid: pid_t
    do {
      pid = try Self.spawn(
        line, environment: command.environment, input: input, log: layout.log(name),
        inherited: lock.descriptor)
    } catch {
      throw UpFailure("cannot start \(command.line[0]): \(Files.reason(error.code))")
    }
    return try RunningProcess(child: pid, commandDigest: command.digest)
  }

  struct SpawnError: Error { let code: Int32 }

  static func spawn(
    _ line: [String], environment: [String: String], input: String = "/dev/null", log: String,
    inherited: Int32?
  ) throws(SpawnError) -> pid_t {
    Descriptors.keepToOurselves()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    if let inherited { posix_spawn_file_actions_adddup2(&actions, inherited, inheritedDescriptor) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What we block or ignore is our affair.
    var none = sigset_t()
    var every = sigset_t()
    sigemptyset(&none)
    sigfillset(&every)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &every)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | newSession))
    let arguments = line.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
      for text in arguments + variables { free(text) }
    }
    var pid = pid_t()
    let status = posix_spawn(&pid, line[0], &actions, &attributes, arguments, variables)
    guard status == 0 else { throw SpawnError(code: status) }
    return pid
  }
}

/// Short commands, run to their end for what they print.
enum ShortCommand {
  static let limitSeconds = 30
  private static let longestBytes = 1 << 20

  /// - Returns: none when it could not be started, failed to end in time, or printed too much.
  static func run(_ line: [String], environment: [String: String]) -> (code: Int32, output: String)?
  {
    var ends: [Int32] = [-1, -1]
    guard wharf_pipe(&ends) == 0 else { return nil }
    defer { close(ends[0]) }
    Descriptors.keepToOurselves()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
    let arguments = line.map { strdup($0) } + [nil]
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer {
      for text in arguments + variables { free(text) }
    }
    var pid = pid_t()
    let status = posix_spawnp(&pid, line[0], &actions, nil, arguments, variables)
    close(ends[1])
    guard status == 0 else { return nil }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let deadline = clocks.now + .seconds(limitSeconds)
    while clocks.now < deadline && output.count < longestBytes {
      var wanted = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
      guard poll(&wanted, 1, 200) > 0 else { continue }
      let count = read(ends[0], &buffer, buffer.count)
      if count <= 0 { break }
      output.append(contentsOf: buffer[0..<count])
    }
    if clocks.now >= deadline { kill(pid, SIGKILL) }
    var code: Int32 = 0
    while waitpid(pid, &code, 0) < 0 && errno == EINTR {}
    let result = code & 0x7F == 0 ? (code >> 8) & 0xFF : 128 + (code & 0x7F)
    return (result, String(decoding: output, as: UTF8.self))
  }
}

enum Descriptors {
  /// Whatever libraries opened: nothing but what is given on purpose reaches a program.
  static func keepToOurselves() {
    for descriptor in Files.names(in: "/proc/self/fd").compactMap({ Int32($0) })
    where descriptor > STDERR_FILENO {
      let flags = fcntl(descriptor, F_GETFD)
      if flags >= 0 && flags & FD_CLOEXEC == 0 {
        _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC)
      }
    }
  }
}
