// The nouns that can be read, but for replicas.

import HashTreeCollections
import Hosting
import Wire

enum Shelves {
  static let providers = Shelf<ProviderItem>(
    "providers", { $0.providers },
    filters: [
      .oneOf("status", ["active", "suspended"]) { provider, _ in
        [provider.suspendedAt == nil ? "active" : "suspended"]
      }
    ],
    sorts: [
      ListSort("models") { provider, view in
        Int64(view.state.models.summary.ofProvider[provider.id] ?? 0)
      }
    ],
    items: { view in
      let models = view.state.models.summary.ofProvider
      return { ProviderItem($0, models: models[$0.id] ?? 0, view) }
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
    sorts: [.count("grants") { $0.grants.count }],
    items: { view in
      let models = GrantedModels(view)
      return { TeamItem($0, models) }
    })

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
      .oneOf(
        "status", Node.Status.allCases.map(\.rawValue) + ["cordoned"],
        among: { status, view in
          let ailing = view.state.nodes.summary.ailing
          return status == Node.Status.active.rawValue
            ? nil : ailing.compactMap { view.state.nodes[$0] }
        }
      ) { node, _ in
        [node.status.rawValue] + (node.cordoned ? ["cordoned"] : [])
      },
      .deployment(
        among: { deployment, view in
          let stopping = view.state.departing.lazy
            .filter { $0.replica.deploymentID == deployment.id }
            .compactMap { view.state.attempts[$0]?.node }
          return Set(deployment.placedOn.keys).union(stopping).compactMap { view.state.nodes[$0] }
        }
      ) { node, deployment in
        node.attempts.contains { $0.replica.deploymentID == deployment }
      },
    ],
    sorts: [
      .count("devices") { $0.facts.devices.count },
      .count("freeDevices") { $0.freeMemories.count },
      .count("attempts") { $0.attempts.count },
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
    sorts: [.id { $0.id.position }],
    key: { agreement, view in
      let provider = view.state.providers[agreement.provider]
      return ListKey(
        provider?.nameKey ?? agreement.provider.description, agreement.id.position.value)
    },
    things: .all { Array($0.state.agreements.values) },
    items: { view in { AgreementItem($0, view) } },
    find: { view, text in
      let provider = (try? Name(text)).flatMap { view.state.providers.named($0) }
      let id = provider?.agreement ?? id(text, Agreement.self)
      return id.flatMap { view.state.agreements[$0] }.map { AgreementItem($0, view) }
    })

  static let models = Shelf<ModelItem>(
    "models", { $0.models },
    filters: [
      .provider(among: { models(of: $0, $1) }) { model, _ in model.provider },
      .oneOf("status", ["embargoed", "published", "deprecated", "retired"]) { model, _ in
        [model.status]
      },
      .oneOf("audience", Audience.self) { model, _ in Array(model.published.keys) },
      .oneOf("task", ModelTask.self) { model, _ in [model.task] },
    ],
    sorts: [.count("versions") { $0.versions.count }],
    items: { view in { ModelItem($0, view) } },
    called: { view, text in model(text, view) })

  static let deployments = Shelf<DeploymentItem>(
    "deployments", { $0.deployments },
    filters: [
      .provider(
        among: { provider, view in
          models(of: provider, view).flatMap { deployments(of: $0.id, view) }
        }
      ) { deployment, view in view.state.models[deployment.model]?.provider },
      .model(among: { deployments(of: $0, $1) }) { deployment, model, _ in
        deployment.model == model
      },
      .node(among: { deployments(on: $0, $1) }) { deployment, node, _ in
        deployment.placedOn[node] != nil
      },
      .oneOf("workload", Workload.self) { deployment, _ in [deployment.workload] },
      .oneOf(
        "status", ["complete", "incomplete", "deleted"],
        among: { status, view in
          let deployments = view.state.deployments
          return status == "incomplete"
            ? deployments.summary.incomplete.compactMap { deployments[$0] } : nil
        }
      ) { deployment, _ in
        if deployment.deletedAt != nil { return ["deleted"] }
        let isComplete = deployment.ready >= deployment.wanted
        return [isComplete ? "complete" : "incomplete"]
      },
    ],
    sorts: [
      .count("replicas") { $0.replicas.count }, .count("ready") { $0.ready },
      .count("missing") { max(0, $0.wanted - $0.ready) },
    ],
    items: { view in
      let stopping = Shelves.stopping(view)
      return { DeploymentItem($0, stopping: stopping[$0.id.position] ?? [], view) }
    })

  /// By their teams' names, and then by their own.
  static let keys = Shelf<KeyItem>(
    "keys",
    filters: [.team(among: { $1.state.keys(of: $0.id) }) { $0.team }],
    sorts: [.id { $0.id.position }],
    key: { key, view in
      let team = view.state.teams[key.team]?.nameKey ?? key.team.description
      return ListKey("\(team) \(key.name.key)", key.id.position.value)
    },
    things: .inOrder { view, from in
      let team = from?.words.prefix { $0 != " " }
      return view.state.teams.inOrder(from: team.map(String.init)).lazy
        .flatMap { view.state.keys(of: $0.id) }
    },
    items: { view in { KeyItem($0, view) } },
    find: { view, text in
      id(text, Key.self).flatMap { view.state.keys[$0] }.map { KeyItem($0, view) }
    })

  static let marks = Shelf<MarkItem>(
    "marks",
    key: { mark, _ in
      // As many digits as a position may have.
      let position = String(mark.position.value)
      let words = String(repeating: "0", count: 19 - position.count) + position
      return ListKey("\(words) \(mark.name.key)")
    },
    things: .all { Array($0.state.log.marks.values) },
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

  static func models(of provider: Provider, _ view: Viewpoint) -> [Model] {
    let start = "\(provider.nameKey)/"
    return Array(
      view.state.models.inOrder(from: start).lazy.prefix { $0.nameKey.hasPrefix(start) })
  }

  static func deployments(of model: ID<Model>, _ view: Viewpoint) -> [Deployment] {
    (view.state.deployments.summary.ofModel[model] ?? [])
      .compactMap { view.state.deployments[$0] }
  }

  /// Those of which something is charged to a node.
  static func deployments(on node: Node, _ view: Viewpoint) -> [Deployment] {
    Set(node.attempts.map(\.replica.deploymentID)).compactMap { view.state.deployments[$0] }
  }

  /// What is to stop, by its deployment.
  static func stopping(_ view: Viewpoint) -> [Position: [Attempt]] {
    Dictionary(
      grouping: view.state.departing.compactMap { view.state.attempts[$0] },
      by: \.id.replica.deployment)
  }
}
