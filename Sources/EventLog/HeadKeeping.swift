// What a wharfd saw last of its log, kept where the next start finds it. A database cannot tell that it is
// an old one: a primary that was replaced and came back, or a disk that was put back to an earlier day. A
// wharfd that runs has its own state to compare with; one that was started anew has this, and what its
// callers have seen.

import Hosting

package protocol HeadKeeping: Sendable {
  /// What was kept last, by an earlier run too.
  var kept: HeadWitness? { get }

  /// Called with each head before anybody is told of it, on the thread that appends: it takes no longer than
  /// a write into the system's memory.
  func keep(_ head: HeadWitness)
}

/// A head that a caller showed.
struct ShownHead: Sendable {
  let head: HeadWitness
  /// Who showed it: its stream, as `gateway/12`; none for one who did not say.
  let caller: String?
}

/// The database holds less than this wharfd, or a caller of it, saw. It may be the wrong one, for a while.
struct ShortOfSeen: Error, CustomStringConvertible {
  let seen: HeadWitness
  let found: HeadWitness
  /// Who showed it; none where this wharfd saw it itself, or nobody is known.
  var caller: String?

  var description: String {
    "position \(seen.position) of era \(seen.era) was seen"
      + (caller.map { " (\($0) showed it)" } ?? "") + ", and the database ends at position "
      + "\(found.position) of era \(found.era): an old primary came back, a standby that is behind was "
      + "promoted, or an older state was restored. Nothing is led or answered from it until it has caught up. "
      + "If it is to go on from here: wharfd recover; if it is another system's: stop this wharfd, remove the "
      + "file that --seen-file names, and start it again"
  }
}
