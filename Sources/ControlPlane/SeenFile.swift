// What this wharfd saw last of the log, in a file beside the secret, and written before anybody is told.
//
// It is one record of constant length, overwritten in place by one system call: a microsecond, where a commit
// takes hundreds. It is not synced: what the system has taken outlives wharfd, however that ends. A machine
// that loses its power may remember a head of half a minute ago. That is still far past what an old primary
// holds, and what is missing in between is shown by callers, who keep what they saw.

import EventLog
import Glibc
import Hosting
import Synchronization
import Wire

package final class SeenFile: HeadKeeping {
  package struct Problem: Error, CustomStringConvertible {
    package let description: String
  }

  private struct Kept: JSONRecord { let head: HeadWitness }

  private struct State {
    var kept: HeadWitness?
    var descriptor: Int32
    var hasComplained = false
  }

  /// More than a head takes at its longest; less than a block, which is written whole.
  private static let recordBytes = 256

  private let path: String
  private let complain: @Sendable (String) -> Void
  private let state: Mutex<State>

  /// - Parameter complain: told once, where the file cannot be written: that is no reason to stop.
  /// - Throws: when there is a file that no wharfd wrote: what was seen must not be lost in silence.
  package init(
    _ path: String, complain: @escaping @Sendable (String) -> Void
  ) throws(Problem) {
    self.path = path
    self.complain = complain
    state = Mutex(State(kept: try Self.read(path), descriptor: -1))
  }

  private static func read(_ path: String) throws(Problem) -> HeadWitness? {
    let text: String?
    do { text = try SecretFile.read(path) } catch { throw Problem(description: "\(error)") }
    guard let text else { return nil }
    do throws(JSONProblem) {
      let document = try JSONValue(document: Array(text.utf8))
      return try JSONDecoding.read(Kept.self, from: document, strict: false).head
    } catch {
      throw Problem(
        description:
          "cannot read what this wharfd saw last of the log, in \(path): \(error); once the "
          + "database is known to be right, remove the file")
    }
  }

  package var kept: HeadWitness? { state.withLock { $0.kept } }

  package func keep(_ head: HeadWitness) {
    state.withLock { state in
      guard state.kept != head || state.descriptor < 0 else { return }
      state.kept = head
      if state.descriptor < 0 { state.descriptor = open(first: Self.record(head)) }
      let record = Self.record(head)
      guard state.descriptor >= 0, pwrite(state.descriptor, record, record.count, 0) == record.count
      else {
        if !state.hasComplained {
          complain(
            "cannot keep what was seen of the log in \(path): \(String(cString: strerror(errno)))")
        }
        state.hasComplained = true
        return
      }
    }
  }

  /// As JSON; written by hand, since it is done for each batch.
  private static func record(_ head: HeadWitness) -> [UInt8] {
    let text =
      #"{"head":{"era":\#(head.era),"position":\#(head.position),"hash":"\#(head.hash)"}}"#
    var record = Array(text.utf8)
    record += repeatElement(UInt8(ascii: " "), count: max(0, recordBytes - 1 - record.count))
    record.append(UInt8(ascii: "\n"))
    return record
  }

  /// Its length and place on the disk are synced here, and never change again.
  private func open(first record: [UInt8]) -> Int32 {
    let temporary = "\(path).new"
    let file = Glibc.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return -1 }
    guard write(file, record, record.count) == record.count, fsync(file) == 0,
      rename(temporary, path) == 0
    else {
      let reason = errno
      close(file)
      errno = reason
      return -1
    }
    return file
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    if descriptor >= 0 { close(descriptor) }
  }
}
