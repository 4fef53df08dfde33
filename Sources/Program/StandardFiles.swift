// What every program does before anything else; CLinux has held the standard descriptors by then.

import Glibc

package enum StandardFiles {
  /// A limit on the size of files is an error of the write, and not our end.
  package static func hold() { signal(SIGXFSZ, SIG_IGN) }
}
