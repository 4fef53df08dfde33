// Snapshots at the positions where there were some, folded anew from the beginning of the log: after a
// person was forgotten, so that states of the past are as near as before.

import Hosting
import Postgres

extension SnapshotStore {
  /// - Parameters:
  ///   - positions: ascending.
  ///   - head: how far the log is known, and so who is forgotten.
  ///   - reader: over which the log is read in one go, while each snapshot is written over `writer`.
  package func remake(
    at positions: [Position], knowing head: Position, _ keys: PersonKeys,
    reader: inout Connection, writer: inout Connection
  ) throws {
    guard let last = positions.last else { return }
    try reader.transaction(isolation: .repeatableRead, readOnly: true) { reader in
      try keys.prepareAll(&reader)
      var state = HostingState()
      var rest = positions[...]
      try LogReader.forEach(after: .empty, upTo: last, on: &reader) { event in
        try state.fold(event, keys)
        guard event.position == rest.first else { return }
        rest.removeFirst()
        try write(KeptState(state: state, hash: event.hash, made: head), on: &writer)
      }
    }
  }
}
