// A file that one process at a time holds, such as the lock of a data folder. The kernel lets go of it when its
// holder dies, however that happens; what the holder wrote about itself stays.

import Glibc

package final class LockFile: Sendable {
  /// Larger ones are none of ours.
  private static let longestBytes = 4_096

  package let path: String
  /// A process that inherits it holds the lock too, until it closes it.
  package let descriptor: Int32

  /// Opens it, made for its owner only if it is not there, and takes nothing yet.
  package init(_ path: String) throws(FileProblem) {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileProblem(attempted: "open", path: path) }
  }

  /// - Returns: whether it is ours now; never waits.
  package func take() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  /// What the one who held it last wrote.
  package var text: String {
    var bytes = [UInt8](repeating: 0, count: Self.longestBytes)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// In place of what was there; of a text that cannot be written nothing stays.
  package func write(_ text: String) throws(FileProblem) {
    let bytes = Array(text.utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes, bytes.count, 0) == bytes.count
    else {
      let problem = FileProblem(attempted: "write", path: path)
      clear()
      throw problem
    }
  }

  package func clear() { ftruncate(descriptor, 0) }

  /// Lets go now, so that another can take it, and nobody thinks that we still hold it.
  package func release() {
    clear()
    flock(descriptor, LOCK_UN)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
