// What a wharfd or a gateway saw last of the log, in a file beside its secret: so that one that was started anew
// finds out when the log was rewritten, or put back to an earlier state. A wharfd writes it before anybody is told.
//
// It is one record of constant length, overwritten in place by one system call: a microsecond, where a commit
// takes hundreds. It is not synced: what the system has taken outlives the program, however that ends. A machine
// that loses its power may remember a head of half a minute ago. That is still far past what an old primary
// holds, and what is missing in between is shown by callers, who keep what they saw.
//
// What the CLI keeps is of many logs (`HeadMemory`), and an agent's stands with its lease (`DataFolder.Seen`).

import Glibc
import Hosting
import Machine
import Synchronization

package final class SeenFile: Sendable {
  package struct Problem: Error, CustomStringConvertible {
    package let description: String
  }

  private struct Kept: JSONRecord {
    let head: HeadWitness
    /// As it was given out, to be shown again; of callers only.
    var sealed: SealedHead?
  }

  private struct State {
    var kept: Kept?
    var descriptor: Int32
    var hasComplained = false
  }

  /// Whose it is, and what is done once the log is known to be right.
  package struct Owner: Sendable {
    let name: String
    let mend: @Sendable (String) -> String

    package static let wharfd = Owner(name: "wharfd") { "rm \(Shell.quoted($0))" }
    package static let gateway = Owner(name: "gateway") {
      "wharf-gateway accept-log --seen-file \(Shell.quoted($0))"
    }
  }

  /// Longer files are no record of ours.
  private static let longestBytes = 4_096
  /// More than a head takes at its longest; less than a block, which is written whole.
  private static let recordBytes = 512

  private let path: String
  private let complain: @Sendable (String) -> Void
  private let state: Mutex<State>

  /// - Parameter complain: told once, where the file cannot be written: that is no reason to stop.
  /// - Throws: when there is a file that is no record: what was seen must not be lost in silence.
  package init(
    _ path: String, of owner: Owner, complain: @escaping @Sendable (String) -> Void
  ) throws(Problem) {
    self.path = path
    self.complain = complain
    state = Mutex(State(kept: try Self.read(path, owner), descriptor: -1))
  }

  private static func read(_ path: String, _ owner: Owner) throws(Problem) -> Kept? {
    func unreadable(_ why: String) -> Problem {
      Problem(
        description:
          "cannot read what this \(owner.name) saw last of the log, in \(path): \(why); once "
          + "the log is known to be right: \(owner.mend(path))")
    }
    let bytes: [UInt8]?
    do { bytes = try Files.read(path, longest: longestBytes) } catch {
      throw unreadable(error.reason)
    }
    guard let bytes else { return nil }
    do throws(JSONProblem) {
      let document = try JSONValue(document: bytes)
      return try JSONDecoding.read(Kept.self, from: document, strict: false)
    } catch {
      throw unreadable("\(error)")
    }
  }

  /// Lets the program follow another log than the one it saw.
  package static func forget(_ path: String) throws(Problem) {
    guard unlink(path) == 0 || errno == ENOENT else {
      throw Problem(description: "cannot remove \(path): \(String(cString: strerror(errno)))")
    }
  }

  package var kept: HeadWitness? { state.withLock { $0.kept?.head } }
  package var sealed: SealedHead? { state.withLock { $0.kept?.sealed } }

  package func keep(_ head: HeadWitness) { keep(head, nil) }

  package func keep(_ head: HeadWitness, _ sealed: SealedHead?) {
    state.withLock { state in
      if let kept = state.kept, kept.head == head, kept.sealed == sealed, state.descriptor >= 0 {
        return
      }
      state.kept = Kept(head: head, sealed: sealed)
      let record = Self.record(head, sealed)
      do throws(FileProblem) {
        if state.descriptor < 0 { state.descriptor = try open(first: record) }
        guard pwrite(state.descriptor, record, record.count, 0) == record.count else {
          throw FileProblem(attempted: "write", path: path)
        }
      } catch {
        if !state.hasComplained {
          complain("cannot keep what was seen of the log in \(path): \(error.reason)")
        }
        state.hasComplained = true
      }
    }
  }

  /// As JSON; written by hand, since it is done for each batch.
  private static func record(_ head: HeadWitness, _ sealed: SealedHead?) -> [UInt8] {
    let text =
      #"{"head":{"era":\#(head.era),"position":\#(head.position),"hash":"\#(head.hash)"}"#
    var record = Array(text.utf8)
    if let sealed { record += Array(#","sealed":"\#(sealed.headerText)""#.utf8) }
    record.append(UInt8(ascii: "}"))
    record += repeatElement(UInt8(ascii: " "), count: max(0, recordBytes - 1 - record.count))
    record.append(UInt8(ascii: "\n"))
    return record
  }

  /// Its length and place on the disk are synced here, and never change again.
  private func open(first record: [UInt8]) throws(FileProblem) -> Int32 {
    let file = try NewFile(path)
    try file.write(record)
    try file.replace()
    return file.takeDescriptor()
  }

  deinit {
    let descriptor = state.withLock { $0.descriptor }
    if descriptor >= 0 { close(descriptor) }
  }
}
