// By what lists are narrowed: a relation to another thing, or one of a few values.

import HashTreeCollections
import Hosting
import Wire

/// What passes a filter.
struct Narrowing<Thing> {
  /// All that may pass, and little else, where they are found without looking at all there is.
  var among: [Thing]?
  let passes: (Thing) -> Bool
}

struct ListFilter<Thing>: Sendable {
  let name: String
  /// Reads the value that was given.
  let narrow: @Sendable (Viewpoint, _ value: String) throws -> Narrowing<Thing>

  /// - Parameters:
  ///   - read: the value that was given.
  ///   - among: as in `Narrowing`.
  init<Value>(
    _ name: String, read: @escaping @Sendable (Viewpoint, String) throws -> Value,
    among: @escaping @Sendable (Value, Viewpoint) -> [Thing]? = { _, _ in nil },
    _ passes: @escaping @Sendable (Thing, Value, Viewpoint) -> Bool
  ) {
    self.name = name
    narrow = { view, text in
      let value = try read(view, text)
      return Narrowing(among: among(value, view)) { passes($0, value, view) }
    }
  }

  /// One of a few values.
  static func oneOf(
    _ name: String, _ values: [String],
    among: @escaping @Sendable (String, Viewpoint) -> [Thing]? = { _, _ in nil },
    _ of: @escaping @Sendable (Thing, Viewpoint) -> [String]
  ) -> ListFilter {
    ListFilter(
      name,
      read: { _, value in
        guard values.contains(value) else {
          let meant = Spelling.nearest(to: value, among: values).map { " (did you mean \($0)?)" }
          throw APIError.badParameter(
            name, value, wanted: values.joined(separator: ", ") + (meant ?? ""))
        }
        return value
      }, among: among
    ) { of($0, $2).contains($1) }
  }

  static func oneOf<Value: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ name: String, _ values: Value.Type,
    _ of: @escaping @Sendable (Thing, Viewpoint) -> [Value]
  ) -> ListFilter {
    oneOf(name, values.allCases.map(\.rawValue)) { of($0, $1).map(\.rawValue) }
  }

  /// What has to do with a provider.
  static func provider(
    among: @escaping @Sendable (Provider, Viewpoint) -> [Thing]? = { _, _ in nil },
    _ of: @escaping @Sendable (Thing, Viewpoint) -> ID<Provider>?
  ) -> ListFilter {
    ListFilter(
      "provider", read: { try Shelves.find($1, in: $0.state.providers, $0) }, among: among
    ) { of($0, $2) == $1.id }
  }

  static func model(
    among: @escaping @Sendable (ID<Model>, Viewpoint) -> [Thing]? = { _, _ in nil },
    _ of: @escaping @Sendable (Thing, ID<Model>, Viewpoint) -> Bool
  ) -> ListFilter {
    ListFilter(
      "model",
      read: { view, value in
        if let reference = try? ModelReference(jsonText: value), reference.version != nil {
          throw APIError.badParameter("model", value, wanted: "a model, without a version")
        }
        guard let id = Shelves.model(value, view)?.id else {
          throw APIError(.unknown(.model, value), at: view.state.position)
        }
        return id
      }, among: among, of)
  }

  static func team(
    among: @escaping @Sendable (Team, Viewpoint) -> [Thing]?,
    _ of: @escaping @Sendable (Thing) -> ID<Team>
  ) -> ListFilter {
    ListFilter("team", read: { try Shelves.find($1, in: $0.state.teams, $0) }, among: among) {
      thing, team, _ in of(thing) == team.id
    }
  }

  static func node(
    among: @escaping @Sendable (Node, Viewpoint) -> [Thing]?,
    _ of: @escaping @Sendable (Thing, ID<Node>, Viewpoint) -> Bool
  ) -> ListFilter {
    ListFilter("node", read: { try Shelves.find($1, in: $0.state.nodes, $0) }, among: among) {
      of($0, $1.id, $2)
    }
  }

  static func deployment(
    among: @escaping @Sendable (Deployment, Viewpoint) -> [Thing]?,
    _ of: @escaping @Sendable (Thing, ID<Deployment>) -> Bool
  ) -> ListFilter {
    ListFilter(
      "deployment", read: { try Shelves.find($1, in: $0.state.deployments, $0) }, among: among
    ) { thing, deployment, _ in of(thing, deployment.id) }
  }
}

/// By what a list is sorted, besides its own order.
struct ListSort<Thing>: Sendable {
  let name: String
  /// A count, an id or a moment.
  let value: @Sendable (Thing, Viewpoint) -> Int64

  init(_ name: String, _ value: @escaping @Sendable (Thing, Viewpoint) -> Int64) {
    self.name = name
    self.value = value
  }

  static func count(_ name: String, _ count: @escaping @Sendable (Thing) -> Int) -> ListSort {
    ListSort(name) { thing, _ in Int64(count(thing)) }
  }
}
