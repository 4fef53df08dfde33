// A state, and how its rows change with the next events. Pure: the store writes what comes out.

import EventLog
import HashTreeCollections
import Hosting

/// How far views are.
package struct ViewCheckpoint: Equatable, Sendable {
  package let position: Position
  package let hash: Digest
  /// When the event there was recorded; none in an empty log.
  package let recordedAt: Timestamp?

  package static let start = ViewCheckpoint(position: .empty, hash: Chain.origin, recordedAt: nil)
}

/// Rows to write so that views come from one checkpoint to a later one.
package struct ViewChanges: Sendable {
  package let from: ViewCheckpoint
  package let to: ViewCheckpoint
  package let timeline: [ViewRow]
  package let upserts: [ViewTable: [ViewRow]]
  package let deletes: [ViewTable: [ViewKey]]
}

/// The fold that views are made of.
package struct Projection: Sendable {
  private let keys: PersonKeys
  package private(set) var state = HostingState()
  package private(set) var checkpoint = ViewCheckpoint.start
  private var tallies = Tallies()
  /// How far `tallies` counts: skipped events are not counted one by one.
  private var talliedAt = Position.empty

  /// - Parameter keys: those of the events must be at hand when they are folded.
  package init(keys: PersonKeys) { self.keys = keys }

  /// Goes on from a state kept; its rows are not looked at.
  package init(_ kept: KeptState, keys: PersonKeys) {
    self.keys = keys
    state = kept.state
    checkpoint = ViewCheckpoint(
      position: state.position, hash: kept.hash, recordedAt: state.recordedAt)
  }

  package var position: Position { checkpoint.position }

  /// Goes past events whose rows are there already.
  package mutating func skip(_ events: some Sequence<StoredEvent>) throws(LogError) {
    for event in events { try fold(event) }
  }

  /// Folds the next events, and says what rows change. When one cannot be read or does not fit, those
  /// before it still count: `failure` is why the rest does not.
  package mutating func advance(
    _ events: [StoredEvent]
  ) -> (changes: ViewChanges, failure: LogError?) {
    tally()
    let old = self
    let (timeline, failure) = tell(events)
    let touched = Touched(by: events.prefix(timeline.count), from: old.state, to: state)
    count(touched, since: old.state)
    let before = ViewRows.rows(of: touched, in: old.state, old.tallies)
    let after = ViewRows.rows(of: touched, in: state, tallies)
    let changes = ViewChanges(
      from: old.checkpoint, to: checkpoint, timeline: timeline,
      upserts: after.rows(notIn: before), deletes: before.keys(notIn: after))
    return (changes, failure)
  }

  /// Folds the next events and gives their rows of the timeline alone; as `advance` at a failure.
  package mutating func tell(
    _ events: [StoredEvent]
  ) -> (timeline: [ViewRow], failure: LogError?) {
    var timeline: [ViewRow] = []
    timeline.reserveCapacity(events.count)
    for stored in events {
      do throws(LogError) {
        timeline.append(TimelineRows.timeline.row(try tell(stored)))
      } catch {
        return (timeline, error)
      }
    }
    return (timeline, nil)
  }

  /// Folds one event and keeps what is needed to tell it.
  private mutating func tell(_ stored: StoredEvent) throws(LogError) -> Telling {
    let before = state
    let event = try stored.decoded(keys)
    let reason = try keys.reason(of: stored)
    do { try state.evolve(event, stored.fact) } catch {
      state = before
      throw .contradiction(position: stored.position, reason: error.description)
    }
    stand(after: stored)
    return Telling(
      stored: stored, event: event, reason: reason?.shown, before: before, after: state)
  }

  private mutating func fold(_ stored: StoredEvent) throws(LogError) {
    try state.fold(stored, keys)
    stand(after: stored)
  }

  private mutating func stand(after stored: StoredEvent) {
    checkpoint = ViewCheckpoint(
      position: stored.position, hash: stored.hash, recordedAt: stored.recordedAt)
  }

  private mutating func tally() {
    if talliedAt != position { tallies = ViewRows.tallies(of: state) }
    talliedAt = position
  }

  private mutating func count(_ touched: Touched, since old: HostingState) {
    for replica in touched.replicas {
      tallies[replica.deploymentID, default: Tally()] -= Tally(of: replica, in: old)
      tallies[replica.deploymentID, default: Tally()] += Tally(of: replica, in: state)
    }
    for deployment in touched.deployments where state.deployments[deployment] == nil {
      tallies[deployment] = nil
    }
    talliedAt = position
  }

  /// Every row of the state as it is now.
  package var allRows: RowSet { ViewRows.all(of: state) }
}

extension RowSet {
  /// The rows that are not the same in `older`.
  fileprivate func rows(notIn older: RowSet) -> [ViewTable: [ViewRow]] {
    var changed: [ViewTable: [ViewRow]] = [:]
    for (table, rows) in tables {
      let before = older[table]
      let different = rows.filter { before[$0.key] != $0.value }
      if !different.isEmpty { changed[table] = Array(different.values) }
    }
    return changed
  }

  /// The keys that are not in `newer`.
  fileprivate func keys(notIn newer: RowSet) -> [ViewTable: [ViewKey]] {
    var gone: [ViewTable: [ViewKey]] = [:]
    for (table, rows) in tables {
      let after = newer[table]
      let missing = rows.keys.filter { after[$0] == nil }
      if !missing.isEmpty { gone[table] = Array(missing) }
    }
    return gone
  }
}
