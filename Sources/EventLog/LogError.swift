// What can go wrong with the log as a whole, apart from refusals, which are answers.

import Hosting

package enum LogError: Error, Equatable, Sendable {
  /// An event of an unknown type or form: a newer wharfd wrote it, or the row was damaged.
  case unreadable(position: Position, reason: String)
  /// An event that does not fit the state before it.
  case contradiction(position: Position, reason: String)
  /// Positions are not contiguous: rows are missing or were added by hand.
  case gap(expected: Position, found: Position)
  /// The chain of hashes does not fit.
  case broken(position: Position, reason: String)
  /// The database is another one than the log was written into: a restore or a promotion.
  case otherEra(recorded: String, found: String)
  /// The database does not hold what this wharfd read or stored there before.
  case otherPast(position: Position, seen: Digest, found: Digest?)
  /// Migrations were applied that this program does not know.
  case databaseNewer(applied: Int, known: Int)
  /// Another program brings the database to its form, for longer than it is waited for.
  case migratesElsewhere
  /// The log may hold what this program cannot read.
  case formatNewer(position: Position, log: Int, known: Int)
  /// The key of a person was wrapped under another cluster secret.
  case foreignKey(person: String)
  /// The log belongs to another cluster secret than this program was given.
  case otherSecret(recorded: Digest, given: Digest)
  /// Nobody has ever led this log.
  case neverLed
  /// Others appended first, time and again.
  case crowded(tries: Int)
  /// A migration that was applied is not the one of this number here.
  case migrationDiffers(number: Int, name: String)
}

extension LogError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreadable(let position, let reason):
      "cannot read the event at position \(position): \(reason)"
    case .contradiction(let position, let reason):
      "the event at position \(position) does not fit the state before it: \(reason)"
    case .gap(let expected, let found):
      "the log has a gap: expected position \(expected), found \(found)"
    case .broken(let position, let reason):
      "the chain of hashes does not fit at position \(position): \(reason)"
    case .otherEra(let recorded, let found):
      "this database (\(found)) is not the one the log was last written into (\(recorded)); if it "
        + "was restored or promoted on purpose, begin a new era with: wharfd recover"
    case .otherPast(let position, let seen, let found):
      "this wharfd saw position \(position) with the hash \(seen), and the database now holds "
        + (found.map { "\($0) there" } ?? "nothing there")
        + ": it was restored, a standby that was behind was promoted, or the log was rewritten; "
        + "compare with a backup and with what agents saw, and begin a new era with: wharfd recover"
    case .migratesElsewhere:
      "cannot migrate the database: another wharfd is migrating it; wait for that and try again"
    case .databaseNewer(let applied, let known):
      "the database is at migration \(applied), this program knows only \(known): run a newer wharfd"
    case .formatNewer(let position, let log, let known):
      "the log is at format level \(log) since position \(position), this wharfd reads only level "
        + "\(known): run a newer wharfd"
    case .foreignKey(let person):
      "cannot unwrap the key of \(person): it was wrapped under another cluster secret: copy the file "
        + "that --secret-file names from another wharfd of this system, or from a backup; if it is lost "
        + "for good: wharfd recover --new-secret. An imported log can be led without its keys"
    case .otherSecret(let recorded, let given):
      "the log belongs to the cluster secret with the fingerprint \(recorded), and the one given "
        + "here has \(given): copy the file that --secret-file names from another wharfd of this "
        + "system, or from a backup. Exchanging a secret that is still known is not possible yet; if "
        + "it is lost for good: wharfd recover --new-secret"
    case .neverLed:
      "the log is empty: no wharfd has led it yet; start one with: wharfd run"
    case .crowded(let tries):
      "others appended first \(tries) times in a row; nothing was done: try again"
    case .migrationDiffers(let number, let name):
      "migration \(number) (\(name)) was applied with another text than this program's: run the "
        + "wharfd that applied it, or one newer than both"
    }
  }
}

/// The database did not answer for a while, so nobody is kept waiting for it.
package struct OutOfTouch: Error, Equatable, Sendable, CustomStringConvertible {
  package let seconds: Int

  package var description: String {
    "the database is not reachable: it last answered this wharfd \(seconds) s ago"
  }
}
