// Where a secret goes: stdout, which is a terminal, a pipe (`export KEY=$(…)`) or a file (`> credential`). It is
// looked at before the command is sent that makes the secret, room is taken in a file, and one that is new is closed to
// others: once the command is in the log, a secret that cannot be written is lost.

import CLinux
import Glibc

enum SecretPlace {
  /// More than any answer with a secret takes.
  private static let reservedBytes: off_t = 16_384

  /// - Throws: where it is sure already that nothing can be written to stdout.
  static func check() throws(Failure) {
    guard let problem = problem(STDOUT_FILENO) else { return }
    throw Failure(
      .refused,
      "cannot write to stdout, where the secret would be shown this once: "
        + String(cString: strerror(problem)),
      help: "nothing was done: do it again where stdout can be written")
  }

  private static func problem(_ file: Int32) -> Int32? {
    // Devices and closed descriptors say it to a write of nothing; pipes and sockets do not.
    if write(file, "", 0) < 0, errno != EAGAIN, errno != EINTR { return errno }
    var look = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
    if poll(&look, 1, 0) > 0, look.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 {
      return EPIPE
    }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    // A shell makes files that others may read, and a program that takes the secret refuses those.
    if status.st_size == 0, status.st_uid == geteuid(), status.st_mode & 0o077 != 0 {
      fchmod(file, 0o600)
    }
    let isAppended = fcntl(file, F_GETFL) & O_APPEND != 0
    let offset = isAppended ? status.st_size : lseek(file, 0, SEEK_CUR)
    // What cannot take room beforehand may still have it.
    guard offset >= 0, wharf_reserve(file, offset, reservedBytes) != 0,
      ![EOPNOTSUPP, ENOSYS, EINVAL].contains(errno)
    else { return nil }
    return errno
  }
}
