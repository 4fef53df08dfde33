// Which process this is, in a file beside what it saw. The process holds a lock on it for as long as it
// lives, and the kernel lets go of the lock when it dies: so one that is started in its place, on the same
// boot of the same machine, knows for certain that the one before it serves no more. Where another holds
// the lock, both live, and are two.

import Glibc
import Hosting
import Time

package final class ProcessFile: Sendable {
  /// At random: told to the control plane with every request.
  package let incarnation: String
  /// The incarnation that was here before, and is gone; none, if that is not certain.
  package let replaces: String?
  /// Held open: with it the lock goes.
  private let descriptor: Int32

  private static let longestBytes = 256

  /// - Parameters:
  ///   - path: none: nothing is known of one before.
  ///   - tell: why the next one will know nothing of this one.
  init(
    file path: String?, random: Clocks.Random, _ tell: (String) -> Void = { _ in }
  ) {
    let (high, low) = (random.next(), random.next())
    let own = Self.hexadecimal(high) + Self.hexadecimal(low)
    incarnation = own
    guard let path, let boot = Self.boot else {
      (descriptor, replaces) = (-1, nil)
      return
    }
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let reason = String(cString: strerror(errno))
      tell(
        file < 0
          ? "cannot keep in \(path) which process this is (\(reason)): once it was killed, its leases are "
            + "waited for, and what it had of limits; let the gateway write there"
          : "another gateway's process holds \(path): give each its own --seen-file")
      if file >= 0 { close(file) }
      (descriptor, replaces) = (-1, nil)
      return
    }
    var bytes = [UInt8](repeating: 0, count: Self.longestBytes)
    let count = pread(file, &bytes, bytes.count, 0)
    let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).map(String.init)
    // Of another boot it may be another machine's, which shares the folder.
    replaces =
      words.count == 2 && words[1] == boot
        && GatewayProcess.isWellFormed(words[0], longest: GatewayProcess.longestIncarnation)
      ? words[0] : nil
    let text = Array("\(own) \(boot)\n".utf8)
    // What cannot be written is not claimed by the next one either.
    if ftruncate(file, 0) != 0 || pwrite(file, text, text.count, 0) != text.count {
      _ = ftruncate(file, 0)
    }
    descriptor = file
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// A file of the kernel's, which tells no length.
  private static let boot: String? = {
    let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: longestBytes)
    let count = read(file, &bytes, bytes.count)
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
      .filter { !$0.isWhitespace }
    return text.isEmpty ? nil : text
  }()
}
