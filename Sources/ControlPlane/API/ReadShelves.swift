// The nouns that can be read: for each its path, its list in pages, and how one of its things is found by what
// people call it. Lists, shows and diffs are made from this alone.

import HashTreeCollections
import Hosting
import Wire

struct Page<Item> {
  var items: [Item]
  /// Behind what the next one begins; none behind the last.
  var next: ListKey?
}

/// One noun's items. `find` is given a name, an id or a bare position; it gives nothing for what
/// the viewpoint does not hold, so a hidden thing and an unknown one are answered alike.
struct Shelf<Item: NounItem>: Sendable {
  let path: String
  /// What its list can be narrowed by.
  let filters: [String]
  let page: @Sendable (Viewpoint, ListQuery) throws -> Page<Item>
  let find: @Sendable (Viewpoint, String) -> Item?
  /// All of them, however many.
  let all: @Sendable (Viewpoint) -> [Item]
}

extension Shelf {
  /// - Parameters:
  ///   - things: gives each thing with where it stands, in no order.
  ///   - items: makes items; what is the same for all of a page is found out once.
  init<Thing>(
    _ path: String, filters: [ListFilter<Thing>] = [],
    things: @escaping @Sendable (Viewpoint, _ each: (ListKey, Thing) -> Void) -> Void,
    items: @escaping @Sendable (Viewpoint) -> (Thing) -> Item,
    find: @escaping @Sendable (Viewpoint, String) -> Item?
  ) {
    self.path = path
    self.filters = filters.map(\.name)
    self.find = find
    all = { view in
      var found: [(key: ListKey, thing: Thing)] = []
      things(view) { found.append(($0, $1)) }
      return found.sorted { $0.key < $1.key }.map(\.thing).map(items(view))
    }
    page = { view, query in
      let tests = try query.filters.compactMap { given in
        try filters.first { $0.name == given.name }?.test(view, given.value)
      }
      var first = FirstThings<ListKey, Thing>(limit: query.limit ?? ListQuery.longestPage)
      things(view) { key, thing in
        if let after = query.after, key <= after { return }
        if tests.allSatisfy({ $0(thing) }) { first.add(key, thing) }
      }
      let (shown, last, hasMore) = first.sorted()
      if query.limit == nil, hasMore { throw ListQuery.tooMany(path) }
      return Page(items: shown.map(items(view)), next: hasMore ? last : nil)
    }
  }

  /// A noun whose things have plain names.
  init<Element: PlainlyCalled>(
    _ path: String, _ catalog: @escaping @Sendable (HostingState) -> Catalog<Element>,
    filters: [ListFilter<Element>] = [],
    items: @escaping @Sendable (Viewpoint) -> (Element) -> Item
  ) {
    self.init(
      path, filters: filters,
      things: { view, each in Shelves.each(of: catalog(view.state), each) },
      items: items,
      find: { view, text in
        Shelves.called(text, in: catalog(view.state)).map(items(view))
      })
  }
}

enum Shelves {
  static let providers = Shelf<ProviderItem>(
    "providers", { $0.providers },
    filters: [
      .oneOf("status", ["active", "suspended"]) { provider, _ in
        [provider.suspendedAt == nil ? "active" : "suspended"]
      }
    ],
    items: { view in
      var models: [ID<Provider>: Int] = [:]
      for model in view.state.models.byID.values { models[model.provider, default: 0] += 1 }
      return { [models] in ProviderItem($0, models: models[$0.id] ?? 0, view) }
    })

  static let engines = Shelf<EngineItem>(
    "engines", { $0.engines },
    filters: [.oneOf("task", ModelTask.self) { engine, _ in engine.tasks }],
    items: { view in { EngineItem($0, view) } })

  static let teams = Shelf<TeamItem>(
    "teams", { $0.teams },
    filters: [
      .oneOf("audience", Audience.self) { team, _ in [team.audience] },
      .model { team, model, _ in team.grants[model] != nil },
    ],
    items: { view in { TeamItem($0, view) } })

  static let persons = Shelf<PersonItem>(
    "persons", { $0.persons },
    filters: [
      .oneOf("role", Role.self) { person, _ in [person.role] },
      .oneOf("status", Person.Status.self) { person, _ in [person.status] },
    ],
    items: { view in { PersonItem($0, view) } })

  static let nodes = Shelf<NodeItem>(
    "nodes", { $0.nodes },
    filters: [
      .oneOf("status", Node.Status.allCases.map(\.rawValue) + ["cordoned"]) { node, _ in
        [node.status.rawValue] + (node.cordoned ? ["cordoned"] : [])
      },
      .deployment { node, deployment in
        node.attempts.contains { $0.replica.deploymentID == deployment }
      },
    ],
    items: { view in { NodeItem($0, view) } })

  static let gateways = Shelf<GatewayItem>(
    "gateways", { $0.gateways }, items: { view in { GatewayItem($0, view) } })

  /// Called by their provider: the last one signed. Older ones by id.
  static let agreements = Shelf<AgreementItem>(
    "agreements",
    filters: [
      .provider { agreement, _ in agreement.provider },
      .oneOf("status", ["signed", "in force", "terminated", "ended"]) { agreement, view in
        [agreement.status(now: view.moment)]
      },
    ],
    things: { view, each in
      for agreement in view.state.agreements.values {
        let provider = view.state.providers[agreement.provider]
        let words = provider?.label ?? agreement.provider.description
        each(ListKey(words, agreement.id.position.value), agreement)
      }
    },
    items: { view in { AgreementItem($0, view) } },
    find: { view, text in
      let provider = (try? Name(text)).flatMap { view.state.providers.named($0) }
      let id = provider?.agreement ?? id(text, Agreement.self)
      return id.flatMap { view.state.agreements[$0] }.map { AgreementItem($0, view) }
    })

  static let models = Shelf<ModelItem>(
    "models",
    filters: [
      .provider { model, _ in model.provider },
      .oneOf("status", ["embargoed", "published", "deprecated", "retired"]) { model, _ in
        [model.status]
      },
      .oneOf("audience", Audience.self) { model, _ in Array(model.published.keys) },
      .oneOf("task", ModelTask.self) { model, _ in [model.task] },
    ],
    things: { view, each in Shelves.each(of: view.state.models, each) },
    items: { view in { ModelItem($0, view) } },
    find: { view, text in model(text, view).map { ModelItem($0, view) } })

  static let deployments = Shelf<DeploymentItem>(
    "deployments", { $0.deployments },
    filters: [
      .provider { deployment, view in view.state.models[deployment.model]?.provider },
      .model { deployment, model, _ in deployment.model == model },
      .node { deployment, node, _ in deployment.placedOn[node] != nil },
      .oneOf("workload", Workload.self) { deployment, _ in [deployment.workload] },
      .oneOf("status", ["complete", "incomplete", "deleted"]) { deployment, _ in
        if deployment.deletedAt != nil { return ["deleted"] }
        let isComplete = deployment.ready >= deployment.wanted
        return [isComplete ? "complete" : "incomplete"]
      },
    ],
    items: { view in
      let stopping = Shelves.stopping(view)
      return { DeploymentItem($0, stopping: stopping[$0.id.position] ?? [], view) }
    })

  static let keys = Shelf<KeyItem>(
    "keys",
    filters: [.team { $0.team }],
    things: { view, each in
      for (team, keys) in view.state.keysOf {
        let words = view.state.teams[team]?.label ?? team.description
        for id in keys {
          guard let key = view.state.keys[id] else { continue }
          each(ListKey("\(words) \(key.name.key)", id.position.value), key)
        }
      }
    },
    items: { view in { KeyItem($0, view) } },
    find: { view, text in
      id(text, Key.self).flatMap { view.state.keys[$0] }.map { KeyItem($0, view) }
    })

  static let marks = Shelf<MarkItem>(
    "marks",
    things: { view, each in
      for mark in view.state.log.marks.values {
        // As many digits as a position may have.
        let position = String(mark.position.value)
        let words = String(repeating: "0", count: 19 - position.count) + position
        each(ListKey("\(words) \(mark.name.key)"), mark)
      }
    },
    items: { view in { MarkItem($0, view) } },
    find: { view, text in
      (try? Name(text)).flatMap { view.state.log.marks[$0.key] }.map { MarkItem($0, view) }
    })

  // MARK: Finding

  /// By name, id or bare position.
  static func team(_ text: String, _ view: Viewpoint) -> Team? {
    called(text, in: view.state.teams)
  }

  static func model(_ text: String, _ view: Viewpoint) -> Model? {
    let named = (try? ModelReference(jsonText: text)).flatMap { view.state.models.keyed($0.key) }
    return named ?? id(text, Model.self).flatMap { view.state.models[$0] }
  }

  static func called<Element: PlainlyCalled>(
    _ text: String, in catalog: Catalog<Element>
  ) -> Element? {
    let byName = (try? Name(text)).flatMap { catalog.named($0) }
    return byName ?? id(text, Element.self).flatMap { catalog[$0] }
  }

  /// The thing of this name, or an error that says that there is none.
  static func find<Element: PlainlyCalled>(
    _ text: String, in catalog: Catalog<Element>, _ view: Viewpoint
  ) throws -> Element {
    guard let found = called(text, in: catalog) else {
      throw APIError(.unknown(Element.kind, text), at: view.state.position)
    }
    return found
  }

  /// `team/9`, or 9 alone.
  private static func id<Of: Identified>(_ text: String, _ type: Of.Type) -> ID<Of>? {
    ID(text) ?? Position(text: text).map { ID($0) }
  }

  // MARK: Listing

  fileprivate static func each<Element: Named>(
    of catalog: Catalog<Element>, _ each: (ListKey, Element) -> Void
  ) {
    for (name, id) in catalog.idsByName {
      if let element = catalog[id] { each(ListKey(name, id.position.value), element) }
    }
  }

  /// What is to stop, by its deployment.
  static func stopping(_ view: Viewpoint) -> [Position: [Attempt]] {
    Dictionary(
      grouping: view.state.departing.compactMap { view.state.attempts[$0] },
      by: \.id.replica.deployment)
  }
}
