// Which events a reader wants: of some kinds of streams, of some types, of one stream, or by one actor.

import Hosting
import Postgres

package struct EventFilter: Sendable, Hashable {
  /// At most so many types or kinds in one filter.
  package static let namesLimit = 200

  /// None: any.
  package var kinds: Set<Kind>?
  package var types: Set<String>?
  package var stream: Stream?
  package var actor: Actor?

  package static let all = EventFilter()

  package init(
    kinds: Set<Kind>? = nil, types: Set<String>? = nil, stream: Stream? = nil, actor: Actor? = nil
  ) {
    self.kinds = kinds
    self.types = types
    self.stream = stream
    self.actor = actor
  }

  /// Whether an index leads to what matches and to nothing else, so that a statement may look at the whole of the
  /// log at once. Where there is more to a filter, all that the index leads to might be read for nothing.
  var isIndexed: Bool {
    let terms = [stream != nil, actor != nil, types != nil, kinds != nil].count { $0 }
    if terms != 1 { return false }
    if stream != nil { return true }
    if case .of(let who)? = actor { return who.kind == .person }
    // Of several types the database would take them one after another, and sort.
    return types.map { $0.count == 1 && !$0.contains(NodeReported.type) } ?? false
  }

  package func matches(_ event: StoredEvent) -> Bool {
    (kinds?.contains { event.stream.kind == $0 } ?? true)
      && (types?.contains(event.type) ?? true)
      && (stream.map { event.stream == $0 } ?? true)
      && (actor.map { event.actor == $0 } ?? true)
  }

  /// The events that match, past a position and up to another one: the first ones, or the last, backwards.
  func query(
    after position: Position, through last: Position, limit: Int, backwards: Bool = false
  ) -> Query {
    var conditions = ["position > $1", "position <= $2"]
    var parameters = [Parameter(position.value), Parameter(last.value), Parameter(Int64(limit))]
    if let kinds {
      parameters.append(Parameter(kinds.map(\.rawValue).sorted()))
      conditions.append("split_part(stream, '/', 1) = ANY($\(parameters.count))")
    }
    if let types {
      if types.count == 1, let type = types.first {
        parameters.append(Parameter(type))
        conditions.append("type = $\(parameters.count)")
      } else {
        parameters.append(Parameter(types.sorted()))
        conditions.append("type = ANY($\(parameters.count))")
      }
      // What the index leaves out has to be left out in words, too.
      if !types.contains(NodeReported.type) {
        conditions.append("type <> '\(NodeReported.type)'")
      }
    }
    if let stream {
      parameters.append(Parameter(stream.description))
      conditions.append("stream = $\(parameters.count)")
    }
    if let actor {
      parameters.append(Parameter(actor.description))
      conditions.append("actor = $\(parameters.count)")
      if case .of(let who) = actor, who.kind == .person {
        conditions.append("actor LIKE 'person/%'")
      }
    }
    return Query(
      "SELECT \(LogStatements.columns) FROM log.events WHERE "
        + conditions.joined(separator: " AND ")
        + " ORDER BY position \(backwards ? "DESC " : "")LIMIT $3", parameters)
  }
}
