// Files that hold a secret: mode 0600, written whole and synced before anyone relies on them.

import Glibc
import Hosting

package enum SecretFile {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// At most this much is read: a secret is short.
  private static let longestBytes = 4_096

  /// The text of the file, without its last newline; none if there is no such file.
  package static func read(_ path: String) throws -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("read", path)
    }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: longestBytes)
    let count = Glibc.read(file, &buffer, buffer.count)
    guard count >= 0 else { throw failure("read", path) }
    return String(decoding: buffer[0..<count], as: UTF8.self)
      .trimmingSuffix { $0.isNewline || $0.isWhitespace }
  }

  /// Writes a new file under a temporary name and moves it in place; never overwrites one.
  package static func create(_ path: String, _ text: String) throws {
    let temporary = "\(path).\(getpid()).new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure("write", temporary) }
    defer { unlink(temporary) }
    let bytes = Array((text + "\n").utf8)
    let written = write(file, bytes, bytes.count)
    let synced = fsync(file)
    close(file)
    guard written == bytes.count, synced == 0 else { throw failure("write", temporary) }
    guard link(temporary, path) == 0 else { throw failure("write", path) }
  }

  private static func failure(_ attempt: String, _ path: String) -> Failure {
    let reason = String(cString: strerror(errno))
    return Failure(
      description: "cannot \(attempt) \(path): \(reason); check that its folder exists and is ours")
  }
}

extension String {
  fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> String {
    var text = self[...]
    while let last = text.last, matches(last) { text.removeLast() }
    return String(text)
  }
}
