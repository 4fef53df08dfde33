// Programs of which we hear what they say: the holder at its start, and tools that are asked something.

import CLinux
import Glibc
import Machine
import Time

enum Spawn {
  /// A killed program that waits for a device in the kernel ends when that lets go of it, if ever.
  private static let killedMilliseconds: Int64 = 2_000
  private static let reapPauseMilliseconds: Int64 = 5

  struct Problem: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// Starts a program whose standard output and error go to a pipe.
  ///
  /// - Parameter holdsLock: the agent's lock is held until the program has begun.
  /// - Returns: the child, and the pipe's reading end, which never blocks.
  static func start(
    _ program: String, _ arguments: [String], environment: [String: String],
    holdsLock: Bool = false
  ) throws(Problem) -> (pid: pid_t, output: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw problem("make a pipe for", program, errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    defer { close(ends[1]) }
    do {
      var start = ProgramStart(
        [program] + arguments, environment: environment, output: .descriptor(ends[1]))
      start.closesOthers = !holdsLock
      return (try start.run(), ends[0])
    } catch {
      close(ends[0])
      throw Problem(description: "\(error)")
    }
  }

  private static func problem(_ attempted: String, _ program: String, _ code: Int32) -> Problem {
    Problem(description: "cannot \(attempted) \(program): \(String(cString: strerror(code)))")
  }

  /// What a short program prints; it is killed when it takes longer. Blocks.
  static func output(
    of program: String, _ arguments: [String], environment: [String: String],
    longestBytes: Int, timeoutSeconds: Int, by clocks: Clocks
  ) throws(Problem) -> [UInt8] {
    let (pid, output) = try start(program, arguments, environment: environment)
    defer { close(output) }
    let deadline = clocks.bootTime.adding(seconds: timeoutSeconds)
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    var whole = false
    while content.count < longestBytes {
      var source = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      let left = clocks.bootTime.milliseconds(until: deadline)
      guard left > 0, poll(&source, 1, Int32(left)) > 0 else { break }
      let count = read(output, &buffer, buffer.count)
      if count == 0 { whole = true }
      if count <= 0 { break }
      content += buffer[..<count]
    }
    // One that has closed its output may still run.
    var status = whole ? reap(pid, until: deadline, by: clocks) : nil
    if status == nil {
      whole = false
      kill(pid, SIGKILL)  // our child, not yet reaped: its pid is still its own
      status = reap(
        pid, until: clocks.bootTime.adding(milliseconds: killedMilliseconds), by: clocks)
    }
    guard let status else {
      throw Problem(description: "\(program) cannot even be killed: the kernel holds it")
    }
    guard whole else {
      throw Problem(description: "\(program) did not finish within \(timeoutSeconds) s")
    }
    guard status == 0 else { throw Problem(description: "\(program) failed") }
    return content
  }

  /// Blocks.
  ///
  /// - Returns: how our child ended; nil when it has not by then.
  static func reap(_ pid: pid_t, until deadline: BootTime, by clocks: Clocks) -> Int32? {
    var status: Int32 = 0
    while true {
      let ended = waitpid(pid, &status, WNOHANG)
      if ended == pid { return status }
      if ended < 0, errno != EINTR { return 0 }
      guard clocks.bootTime < deadline else { return nil }
      clocks.block(for: .milliseconds(reapPauseMilliseconds))
    }
  }
}
