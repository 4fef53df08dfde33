// The nouns that can be read: for each its path, all of its items in a state, and how one is found
// by what people call it. Lists, shows and diffs are made from this alone.

import HashTreeCollections
import Hosting
import Wire

/// One noun's items. `find` is given a name, an id or a bare position; it gives nothing for what
/// the viewpoint does not hold, so a hidden thing and an unknown one are answered alike.
struct Shelf<Item: NounItem>: Sendable {
  let path: String
  let all: @Sendable (Viewpoint) -> [Item]
  let find: @Sendable (Viewpoint, String) -> Item?
}

extension Shelf {
  /// A noun whose things have plain names.
  init<Element: PlainlyCalled>(
    _ path: String, _ catalog: @escaping @Sendable (HostingState) -> Catalog<Element>,
    _ item: @escaping @Sendable (Element, Viewpoint) -> Item
  ) {
    self.path = path
    all = { view in catalog(view.state).sorted.map { item($0, view) } }
    find = { view, text in
      let catalog = catalog(view.state)
      let byName = (try? Name(text)).flatMap { catalog.named($0) }
      let element = byName ?? Shelves.id(text, Element.self).flatMap { catalog[$0] }
      return element.map { item($0, view) }
    }
  }
}

enum Shelves {
  static let providers = Shelf<ProviderItem>("providers", { $0.providers }) { ProviderItem($0, $1) }
  static let engines = Shelf<EngineItem>("engines", { $0.engines }) { EngineItem($0, $1) }
  static let teams = Shelf<TeamItem>("teams", { $0.teams }) { TeamItem($0, $1) }
  static let persons = Shelf<PersonItem>("persons", { $0.persons }) { PersonItem($0, $1) }
  static let nodes = Shelf<NodeItem>("nodes", { $0.nodes }) { NodeItem($0, $1) }
  static let gateways = Shelf<GatewayItem>("gateways", { $0.gateways }) { GatewayItem($0, $1) }

  /// Called by their provider: the last one signed. Older ones by id.
  static let agreements = Shelf<AgreementItem>(
    path: "agreements",
    all: { view in
      view.state.agreements.values.sorted { $0.id < $1.id }.map { AgreementItem($0, view) }
        .sorted { $0.provider < $1.provider }
    },
    find: { view, text in
      let provider = (try? Name(text)).flatMap { view.state.providers.named($0) }
      let id = provider?.agreement ?? id(text, Agreement.self)
      return id.flatMap { view.state.agreements[$0] }.map { AgreementItem($0, view) }
    })

  static let models = Shelf<ModelItem>(
    path: "models", all: { view in view.state.models.sorted.map { ModelItem($0, view) } },
    find: { view, text in
      let named = (try? ModelReference(jsonText: text)).flatMap { view.state.models.keyed($0.key) }
      let model = named ?? id(text, Model.self).flatMap { view.state.models[$0] }
      return model.map { ModelItem($0, view) }
    })

  static let deployments = Shelf<DeploymentItem>(
    path: "deployments",
    all: { view in
      let stopping = Dictionary(
        grouping: view.state.departing.compactMap { view.state.attempts[$0] },
        by: \.id.replica.deployment)
      return view.state.deployments.sorted.map { deployment in
        DeploymentItem(deployment, stopping: stopping[deployment.id.position] ?? [], view)
      }
    },
    find: { view, text in
      let named = (try? Name(text)).flatMap { view.state.deployments.named($0) }
      let found = named ?? id(text, Deployment.self).flatMap { view.state.deployments[$0] }
      return found.map { deployment in
        let stopping = view.state.departing
          .filter { $0.replica.deployment == deployment.id.position }
          .compactMap { view.state.attempts[$0] }
        return DeploymentItem(deployment, stopping: stopping, view)
      }
    })

  /// Replicas, also those that are wanted no more, while something of them still stops.
  static let replicas = Shelf<ReplicaItem>(
    path: "replicas",
    all: { view in
      let stopping = Dictionary(
        grouping: view.state.departing.compactMap { view.state.attempts[$0] },
        by: \.id.replica.deployment)
      return view.state.deployments.sorted.flatMap {
        replicas(of: $0, stopping: stopping[$0.id.position] ?? [], view)
      }
    },
    find: { view, text in
      for deployment in candidates(text, view.state) {
        let stopping = view.state.departing
          .filter { $0.replica.deployment == deployment.id.position }
          .compactMap { view.state.attempts[$0] }
        let found = replicas(of: deployment, stopping: stopping, view).first {
          $0.id == text || $0.name.lowercased() == text.lowercased()
        }
        if let found { return found }
      }
      return nil
    })

  static let keys = Shelf<KeyItem>(
    path: "keys",
    all: { view in
      view.state.keys.values.sorted { $0.id < $1.id }.map { KeyItem($0, view) }
        .sorted { ($0.team, $0.name) < ($1.team, $1.name) }
    },
    find: { view, text in
      id(text, Key.self).flatMap { view.state.keys[$0] }.map { KeyItem($0, view) }
    })

  static let marks = Shelf<MarkItem>(
    path: "marks",
    all: { view in
      view.state.log.marks.values.map { MarkItem($0, view) }
        .sorted { ($0.position, $0.name) < ($1.position, $1.name) }
    },
    find: { view, text in
      (try? Name(text)).flatMap { view.state.log.marks[$0.key] }.map { MarkItem($0, view) }
    })

  /// By name, id or bare position.
  static func team(_ text: String, _ view: Viewpoint) -> Team? {
    let byName = (try? Name(text)).flatMap { view.state.teams.named($0) }
    return byName ?? id(text, Team.self).flatMap { view.state.teams[$0] }
  }

  /// `team/9`, or 9 alone.
  fileprivate static func id<Of: Identified>(_ text: String, _ type: Of.Type) -> ID<Of>? {
    ID(text) ?? Position(text: text).map { ID($0) }
  }

  private static func replicas(
    of deployment: Deployment, stopping attempts: [Attempt], _ view: Viewpoint
  ) -> [ReplicaItem] {
    let stopping = Dictionary(grouping: attempts, by: \.id.replica)
    let numbers = Set(stopping.keys.map(\.number)).union(deployment.replicas.keys)
    return numbers.sorted().map { number in
      let left = stopping[ReplicaID(deployment: deployment.id.position, number: number)] ?? []
      guard let replica = deployment.replicas[number] else {
        return ReplicaItem(removed: left, of: deployment, view)
      }
      return ReplicaItem(replica, of: deployment, stopping: left, view)
    }
  }

  /// The deployments of which `grok-2` or `31.2` may be a replica.
  private static func candidates(_ text: String, _ state: HostingState) -> [Deployment] {
    if let id = try? ReplicaID(jsonText: text), let found = state.deployments[ID(id.deployment)] {
      return [found]
    }
    guard let dash = text.lastIndex(of: "-"), let name = try? Name(String(text[..<dash])) else {
      return []
    }
    return state.deployments.named(name).map { [$0] } ?? []
  }
}
