// How many files and connections a process may have open. The usual limit of 1,024 is for programs that
// call select(2); servers of ours do not, and take all that they may have.

import Glibc

package enum Descriptors {
  /// What a server opens besides the connections of its clients: files, pipes, its own connections.
  private static let reserve = 256

  /// Raises the limit of this process to what it may have, and gives how many connections of clients fit:
  /// no more than `wanted`.
  package static func room(forConnections wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < UInt64(Int32.max)
    else { return wanted }
    let open = Int(limit.rlim_cur)
    return min(wanted, max(open / 2, open - reserve))
  }
}
