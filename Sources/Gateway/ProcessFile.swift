// Which process this is, in a file beside what it saw. The process holds a lock on it for as long as it
// lives, and the kernel lets go of the lock when it dies: so one that is started in its place, on the same
// boot of the same machine, knows for certain that the one before it serves no more. Where another holds
// the lock, both live, and are two.

import Hosting
import Machine
import Time

package final class ProcessFile: Sendable {
  /// At random: told to the control plane with every request.
  package let incarnation: String
  /// The incarnation that was here before, and is gone; none, if that is not certain.
  package let replaces: String?
  /// Held open: with it the lock goes.
  private let file: LockFile?

  /// - Parameters:
  ///   - path: none: nothing is known of one before.
  ///   - tell: why the next one will know nothing of this one.
  init(
    file path: String?, random: Clocks.Random, _ tell: (String) -> Void = { _ in }
  ) {
    let (high, low) = (random.next(), random.next())
    let own = Self.hexadecimal(high) + Self.hexadecimal(low)
    incarnation = own
    guard let path, let boot = try? ProcessTable.bootID() else {
      (file, replaces) = (nil, nil)
      return
    }
    do throws(FileProblem) {
      let opened = try LockFile(path)
      file = opened.take() ? opened : nil
      if file == nil {
        tell("another gateway's process holds \(path): give each its own --seen-file")
      }
    } catch {
      file = nil
      tell(
        "cannot keep in \(path) which process this is (\(error.reason)): once it was killed, its leases are "
          + "waited for, and what it had of limits; let the gateway write there")
    }
    guard let file else {
      replaces = nil
      return
    }
    let words = file.text.split(whereSeparator: \.isWhitespace).map(String.init)
    // Of another boot it may be another machine's, which shares the folder.
    replaces =
      words.count == 2 && words[1] == boot
        && GatewayProcess.isWellFormed(words[0], longest: GatewayProcess.longestIncarnation)
      ? words[0] : nil
    // What cannot be written is not claimed by the next one either.
    try? file.write("\(own) \(boot)\n")
  }

  private static func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
