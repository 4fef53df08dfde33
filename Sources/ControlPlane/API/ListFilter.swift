// By what lists are narrowed: a relation to another thing, or one of a few values.

import HashTreeCollections
import Hosting
import Wire

struct ListFilter<Thing>: Sendable {
  typealias Test = (Thing) -> Bool

  let name: String
  /// Reads the value that was given.
  let test: @Sendable (Viewpoint, _ value: String) throws -> Test

  init(_ name: String, _ test: @escaping @Sendable (Viewpoint, String) throws -> Test) {
    self.name = name
    self.test = test
  }

  /// One of a few values.
  static func oneOf(
    _ name: String, _ values: [String],
    _ of: @escaping @Sendable (Thing, Viewpoint) -> [String]
  ) -> ListFilter {
    ListFilter(name) { view, value in
      guard values.contains(value) else {
        let meant = Spelling.nearest(to: value, among: values).map { " (did you mean \($0)?)" }
        throw APIError.badParameter(
          name, value, wanted: values.joined(separator: ", ") + (meant ?? ""))
      }
      return { of($0, view).contains(value) }
    }
  }

  static func oneOf<Value: RawRepresentable<String> & CaseIterable & SendableMetatype>(
    _ name: String, _ values: Value.Type,
    _ of: @escaping @Sendable (Thing, Viewpoint) -> [Value]
  ) -> ListFilter {
    oneOf(name, values.allCases.map(\.rawValue)) { of($0, $1).map(\.rawValue) }
  }

  /// What has to do with a provider.
  static func provider(
    _ of: @escaping @Sendable (Thing, Viewpoint) -> ID<Provider>?
  ) -> ListFilter {
    ListFilter("provider") { view, value in
      let id = try Shelves.find(value, in: view.state.providers, view).id
      return { of($0, view) == id }
    }
  }

  static func model(_ of: @escaping @Sendable (Thing, ID<Model>, Viewpoint) -> Bool) -> ListFilter {
    ListFilter("model") { view, value in
      if let reference = try? ModelReference(jsonText: value), reference.version != nil {
        throw APIError.badParameter("model", value, wanted: "a model, without a version")
      }
      guard let id = Shelves.model(value, view)?.id else {
        throw APIError(.unknown(.model, value), at: view.state.position)
      }
      return { of($0, id, view) }
    }
  }

  static func team(_ of: @escaping @Sendable (Thing) -> ID<Team>) -> ListFilter {
    ListFilter("team") { view, value in
      let id = try Shelves.find(value, in: view.state.teams, view).id
      return { of($0) == id }
    }
  }

  static func node(_ of: @escaping @Sendable (Thing, ID<Node>, Viewpoint) -> Bool) -> ListFilter {
    ListFilter("node") { view, value in
      let id = try Shelves.find(value, in: view.state.nodes, view).id
      return { of($0, id, view) }
    }
  }

  static func deployment(
    _ of: @escaping @Sendable (Thing, ID<Deployment>) -> Bool
  ) -> ListFilter {
    ListFilter("deployment") { view, value in
      let id = try Shelves.find(value, in: view.state.deployments, view).id
      return { of($0, id) }
    }
  }
}
