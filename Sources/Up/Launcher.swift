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
      throw UpFailure("cannot start \(command.line[0]): \(error.reason)")
    }
    return try RunningProcess(child: pid, commandDigest: command.digest)
  }

  static func spawn(
    _ line: [String], environment: [String: String], input: String = "/dev/null", log: String,
    inherited: Int32?
  ) throws(ProgramStart.Problem) -> pid_t {
    var start = ProgramStart(line, environment: environment, output: .file(log))
    start.input = .file(input)
    start.inherited = inherited
    start.hasOwnSession = true
    return try start.run()
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
    var start = ProgramStart(line, environment: environment, output: .descriptor(ends[1]))
    start.isOnPath = true
    let pid = try? start.run()
    close(ends[1])
    guard let pid else { return nil }
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
    return (
      ProcessHandle.Exit(waitStatus: code).shellCode, String(decoding: output, as: UTF8.self)
    )
  }
}
