// A terminal that is gone asks a service to stop as SIGTERM does, and in the same way.

import Glibc

package enum Hangup {
  /// From here on SIGHUP is SIGTERM, unless whoever started us had it ignored (`nohup`, `wharf up`).
  package static func stops() {
    var before = sigaction()
    guard sigaction(SIGHUP, nil, &before) == 0,
      unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self)
        != unsafeBitCast(SIG_IGN, to: Int.self)
    else { return }
    signal(SIGHUP) { _ in kill(getpid(), SIGTERM) }
  }
}
