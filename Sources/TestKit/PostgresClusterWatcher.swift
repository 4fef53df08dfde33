// Ends a cluster with the test process, also when that is killed. A small shell reads from a pipe whose
// other end only the test process holds: end of file means that it is gone, however that came.

import CLinux
import Glibc
import Synchronization

final class ClusterWatcher: Sendable {
  private let pipeEnd: Mutex<Int32?>
  private let pid: pid_t

  /// Its servers are told by the working folder, which is the data folder: also those that lost their
  /// postmaster, and those that a test has stopped and cannot continue any more.
  private static let script = """
    trap '' INT TERM HUP PIPE
    exec 2> /dev/null
    read -r _
    cd /
    servers() {
      for process in /proc/[0-9]*; do
        name=
        read -r name < "$process/comm" || continue
        [ "$name" = postgres ] || continue
        if [ "$(readlink "$process/cwd")" = "$1/data" ]; then echo "${process#/proc/}"; fi
      done
    }
    for signal in QUIT KILL KILL KILL; do
      pids=$(servers "$1")
      if [ -z "$pids" ]; then break; fi
      kill -s "$signal" $pids
      for _ in 1 2 3 4 5 6 7 8 9 10; do
        if [ -z "$(servers "$1")" ]; then break; fi
        sleep 0.1
      done
    done
    rm -rf "$1"
    """

  init(folder: String) throws(TestClusterError) {
    var ends: [Int32] = [-1, -1]
    guard wharf_pipe(&ends) == 0 else {
      throw TestClusterError("make a pipe: \(String(cString: strerror(errno)))")
    }
    defer { close(ends[0]) }
    pipeEnd = Mutex(ends[1])
    pid = try ChildProcess.start(
      ["/bin/sh", "-c", Self.script, "sh", folder], in: "/", log: "/dev/null",
      standardInput: ends[0])
  }

  /// Lets it clean up now, and waits for it.
  func finish() {
    guard letGo() else { return }
    ChildProcess.wait(pid)
  }

  /// Lets it clean up now.
  ///
  /// - Returns: false when it was let already.
  @discardableResult
  func letGo() -> Bool {
    pipeEnd.withLock { end in
      guard let open = end else { return false }
      close(open)
      end = nil
      return true
    }
  }
}
