// Which events a reader wants: of some kinds of streams, of some types, or of one stream.

import Hosting
import Postgres

package struct EventFilter: Sendable, Hashable {
  /// At most so many types or kinds in one filter.
  package static let namesLimit = 200

  /// None: any.
  package var kinds: Set<Kind>?
  package var types: Set<String>?
  package var stream: Stream?

  package static let all = EventFilter()

  package init(kinds: Set<Kind>? = nil, types: Set<String>? = nil, stream: Stream? = nil) {
    self.kinds = kinds
    self.types = types
    self.stream = stream
  }

  package func matches(_ event: StoredEvent) -> Bool {
    (kinds?.contains { event.stream.kind == $0 } ?? true)
      && (types?.contains(event.type) ?? true)
      && (stream.map { event.stream == $0 } ?? true)
  }

  /// The next events that match, past a position and up to another one.
  func query(after position: Position, through last: Position, limit: Int) -> Query {
    var conditions = ["position > $1", "position <= $2"]
    var parameters = [Parameter(position.value), Parameter(last.value), Parameter(Int64(limit))]
    if let kinds {
      parameters.append(Parameter(kinds.map(\.rawValue).sorted()))
      conditions.append("split_part(stream, '/', 1) = ANY($\(parameters.count))")
    }
    if let types {
      parameters.append(Parameter(types.sorted()))
      conditions.append("type = ANY($\(parameters.count))")
    }
    if let stream {
      parameters.append(Parameter(stream.description))
      conditions.append("stream = $\(parameters.count)")
    }
    return Query(
      "SELECT \(LogStatements.columns) FROM log.events WHERE "
        + conditions.joined(separator: " AND ") + " ORDER BY position LIMIT $3", parameters)
  }
}
