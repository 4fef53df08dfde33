// Programs that the bench starts: PostgreSQL's, wharfd, a peer's interpreter.

import Glibc
import Machine

package struct ChildProcess: Sendable {
  package let pid: pid_t

  /// Starts a command in a session of its own, with standard output and error in `log`.
  package static func start(
    _ command: [String], in folder: String, log: String, environment: [String: String] = [:]
  ) throws(BenchFailure) -> ChildProcess {
    let added = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let line =
      ["/bin/sh", "-c", "cd \"$0\" && exec env \"$@\"", folder] + added + command
    var start = ProgramStart(line, environment: nil, output: .file(log))
    // Ctrl-C is for the bench, which then ends them.
    start.hasOwnSession = true
    do { return ChildProcess(pid: try start.run()) } catch {
      throw BenchFailure("cannot start \(command[0]): \(error.reason)")
    }
  }

  /// Runs a command to its end, or kills it when it takes longer.
  ///
  /// - Returns: its exit code, 128 and the signal that ended it, or none when it was killed.
  package static func run(
    _ command: [String], in folder: String, log: String, environment: [String: String] = [:],
    withinSeconds limit: Int
  ) throws(BenchFailure) -> Int32? {
    let child = try start(command, in: folder, log: log, environment: environment)
    let deadline = ContinuousClock.now + .seconds(limit)
    while ContinuousClock.now < deadline {
      if let code = child.poll() { return code }
      usleep(5_000)
    }
    child.end(with: SIGKILL, withinSeconds: 5)
    return nil
  }

  /// Its exit code once it has ended.
  package func poll() -> Int32? {
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
    return ProcessHandle.Exit(waitStatus: status).shellCode
  }

  /// Sends a signal, and SIGKILL when that did not help in time; reaps it.
  package func end(with signal: Int32, withinSeconds limit: Int) {
    kill(pid, signal)
    let deadline = ContinuousClock.now + .seconds(limit)
    while ContinuousClock.now < deadline {
      if poll() != nil { return }
      usleep(5_000)
    }
    kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
  }

  /// The most memory that it has held so far, in megabytes.
  package var peakMegabytes: Double? {
    guard let text = Files.text("/proc/\(pid)/status"),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
    else { return nil }
    return kibibytes * 1_024 / 1e6
  }

  /// What it has used of processors, and what it holds of memory now.
  var cost: (seconds: Double, megabytes: Double)? {
    guard let stat = Files.text("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")"),
      let status = Files.text("/proc/\(pid)/status")
    else { return nil }
    // Behind the name in parentheses: user time is the twelfth field, system time the next.
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
      let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
    else { return nil }
    return (
      (user + system) / Double(sysconf(Int32(_SC_CLK_TCK))), kibibytes * 1_024 / 1e6
    )
  }
}

package enum TextFile {
  /// In place: PostgreSQL's files stay its user's.
  package static func write(_ text: String, to path: String) throws(BenchFailure) {
    guard let file = fopen(path, "w") else {
      throw BenchFailure("cannot write \(path): \(String(cString: strerror(errno)))")
    }
    let bytes = Array(text.utf8)
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else {
      throw BenchFailure("cannot write \(path): \(String(cString: strerror(errno)))")
    }
  }

  package static func tail(_ path: String) -> String {
    (Files.text(path) ?? "(no log)").split(separator: "\n").suffix(12).joined(separator: "\n")
  }
}
