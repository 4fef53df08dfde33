// A program that was started with stdin, stdout or stderr closed would give their numbers to the first files and
// sockets that it opens, and write its answers into them. So each has something in its place from the start.

import Glibc

package enum StandardFiles {
  /// Also takes care that a limit on the size of files is an error of the write, and not our end.
  package static func hold() {
    signal(SIGXFSZ, SIG_IGN)
    for file in STDIN_FILENO...STDERR_FILENO where fcntl(file, F_GETFD) < 0 {
      // What is written to stdout is an answer: that nobody gets it must show, so it is held to be read only.
      _ = open("/dev/null", file == STDERR_FILENO ? O_WRONLY : O_RDONLY)
    }
  }
}
