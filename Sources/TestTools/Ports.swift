// Ports for the programs of a test, known before those are started. A port that the kernel chose and that
// was let go of again may be anybody's by then; these lie below those that it hands out, and no other test
// process of this machine is given them as long as this one lives.

import Glibc
import Synchronization

package enum Ports {
  private static let all = 10_000..<32_000
  private static let blockPorts = 150

  private struct State {
    var rest: Range<Int> = 0..<0
    /// A lock on each block taken; the kernel lets go of it at the end of the process.
    var locks: [Int32] = []
    var looked = 0
  }
  private static let state = Mutex(State())

  /// One that nobody listens on.
  package static func one() throws -> Int { try take(1).lowerBound }

  /// So many in a row that nobody listens on.
  package static func take(_ count: Int) throws -> ClosedRange<Int> {
    precondition(0 < count && count <= blockPorts)
    return try state.withLock { state in
      while true {
        if state.rest.count < count { state.rest = try block(&state) }
        let found = state.rest.prefix(count)
        state.rest = state.rest.dropFirst(count)
        if found.allSatisfy(isFree) { return found.lowerBound...(found.upperBound - 1) }
      }
    }
  }

  private static func block(_ state: inout State) throws -> Range<Int> {
    let folder = "/tmp/wharf-test-ports-\(geteuid())"
    mkdir(folder, 0o700)
    let count = all.count / blockPorts
    while state.looked < count {
      // Not all begin at the same end: what was just in use may not be free yet.
      let number = (Int(getpid()) * 7 + state.looked) % count
      state.looked += 1
      let file = open("\(folder)/\(number)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      guard file >= 0 else {
        throw TestFailure("cannot claim ports in \(folder): \(String(cString: strerror(errno)))")
      }
      guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
        close(file)
        continue
      }
      state.locks.append(file)
      let first = all.lowerBound + number * blockPorts
      return first..<(first + blockPorts)
    }
    throw TestFailure("tests of this machine have every port of \(all)")
  }

  private static func isFree(_ port: Int) -> Bool {
    var yes: Int32 = 1
    let socket = try? StreamSocket.open(
      .port(UInt16(port)),
      prepare: {
        setsockopt($0, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
      }
    ) { bind($0, $1, $2) }
    guard let socket else { return false }
    close(socket)
    return true
  }
}
