// Replicas, also those that are wanted no more, while something of them still stops.

import HashTreeCollections
import Hosting
import Wire

/// A replica of a deployment: wanted, or not any more.
private struct ListedReplica {
  /// Shared, since a list looks at all replicas of it.
  final class Owner: Sendable {
    let deployment: Deployment
    init(_ deployment: Deployment) { self.deployment = deployment }
  }

  let owner: Owner
  let number: Int

  var deployment: Deployment { owner.deployment }
  var id: ReplicaID { ReplicaID(deployment: deployment.id.position, number: number) }
  var replica: Replica? { deployment.replicas[number] }

  func item(stopping: [Attempt], _ view: Viewpoint) -> ReplicaItem {
    guard let replica else { return ReplicaItem(removed: stopping, of: deployment, view) }
    return ReplicaItem(replica, of: deployment, stopping: stopping, view)
  }

  func isOn(_ node: ID<Node>, _ view: Viewpoint) -> Bool {
    if replica?.node == node { return true }
    return view.state.nodes[node]?.attempts.contains { $0.replica == id } ?? false
  }
}

extension Shelves {
  static let replicas = Shelf<ReplicaItem>(
    "replicas", filters: replicaFilters, things: eachReplica,
    items: { view in
      let stopping = Dictionary(
        grouping: view.state.departing.compactMap { view.state.attempts[$0] }, by: \.id.replica)
      return { listed in listed.item(stopping: stopping[listed.id] ?? [], view) }
    },
    find: findReplica)

  private static var replicaFilters: [ListFilter<ListedReplica>] {
    let phases = [ReplicaItem.waitingPhase, "unknown"] + AttemptPhase.allCases.map(\.rawValue)
    return [
      .deployment { $0.deployment.id == $1 },
      .provider { listed, view in view.state.models[listed.deployment.model]?.provider },
      .model { listed, model, _ in listed.deployment.model == model },
      .node { listed, node, view in listed.isOn(node, view) },
      .oneOf("status", phases) { listed, view in
        [ReplicaItem.phase(of: listed.replica, listed.deployment, view)]
      },
    ]
  }

  @Sendable private static func eachReplica(
    _ view: Viewpoint, _ each: (ListKey, ListedReplica) -> Void
  ) {
    let stopping = Shelves.stopping(view)
    for deployment in view.state.deployments.byID.values {
      let words = deployment.nameKey
      let owner = ListedReplica.Owner(deployment)
      func add(_ number: Int) {
        each(ListKey(words, Int64(number)), ListedReplica(owner: owner, number: number))
      }
      for number in deployment.replicas.keys { add(number) }
      let left = Set((stopping[deployment.id.position] ?? []).map(\.id.replica.number))
      for number in left where deployment.replicas[number] == nil { add(number) }
    }
  }

  @Sendable private static func findReplica(_ view: Viewpoint, _ text: String) -> ReplicaItem? {
    for deployment in candidates(text, view.state) {
      let attempts = view.state.departing
        .filter { $0.replica.deployment == deployment.id.position }
        .compactMap { view.state.attempts[$0] }
      let stopping = Dictionary(grouping: attempts, by: \.id.replica.number)
      let owner = ListedReplica.Owner(deployment)
      for number in Set(stopping.keys).union(deployment.replicas.keys) {
        let listed = ListedReplica(owner: owner, number: number)
        let name = deployment.replicaName(number).lowercased()
        guard listed.id.description == text || name == text.lowercased() else { continue }
        return listed.item(stopping: stopping[number] ?? [], view)
      }
    }
    return nil
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
