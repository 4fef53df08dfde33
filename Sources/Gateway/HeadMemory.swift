// What a gateway saw last of the log, in a file beside its credential: so that one that was started
// anew still finds out when the log was rewritten, or put back to an earlier state.

import FoundationEssentials
import Glibc
import Hosting
import Logging
import Synchronization
import Wire

package final class HeadMemory: Sendable {
  package struct Problem: Error, CustomStringConvertible {
    package let description: String
  }

  private struct Kept: JSONRecord { let head: HeadWitness }

  private struct State {
    var head: HeadWitness?
    var hasComplained = false
  }

  private let path: String
  private let state: Mutex<State>

  /// - Throws: when there is a file that no gateway wrote: what was seen must not be lost in silence.
  package init(file path: String) throws(Problem) {
    self.path = path
    var head: HeadWitness?
    if access(path, F_OK) == 0 {
      do {
        let bytes = Array(try Data(contentsOf: URL(filePath: path)))
        head = try JSONDecoding.read(Kept.self, from: JSONValue(document: bytes), strict: false)
          .head
      } catch {
        throw Problem(
          description: "cannot read what this gateway saw last of the log, in \(path): \(error); "
            + "once the log is known to be right: wharf-gateway accept-log --seen-file \(path)")
      }
    }
    state = Mutex(State(head: head))
  }

  var head: HeadWitness? { state.withLock { $0.head } }

  /// Written whole under another name and moved in place. Not being able to is said once, and is no
  /// reason to stop serving.
  func keep(_ head: HeadWitness?, _ logger: Logger) {
    state.withLock { state in
      guard let head, head != state.head else { return }
      state.head = head
      guard !write(Kept(head: head).jsonBytes), !state.hasComplained else { return }
      state.hasComplained = true
      logger.error(
        "cannot keep what was seen of the log in \(path): \(String(cString: strerror(errno)))")
    }
  }

  private func write(_ bytes: [UInt8]) -> Bool {
    let temporary = path + ".new"
    let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return false }
    let count = Glibc.write(file, bytes, bytes.count)
    close(file)
    return count == bytes.count && rename(temporary, path) == 0
  }

  /// Lets the gateway follow another log than the one it saw.
  package static func forget(file path: String) throws(Problem) {
    guard unlink(path) == 0 || errno == ENOENT else {
      throw Problem(description: "cannot remove \(path): \(String(cString: strerror(errno)))")
    }
  }
}
