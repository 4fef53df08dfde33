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
  /// Attempts of it that are to stop.
  let stopping: [Attempt]

  var deployment: Deployment { owner.deployment }
  var id: ReplicaID { ReplicaID(deployment: deployment.id.position, number: number) }
  var replica: Replica? { deployment.replicas[number] }

  func item(_ view: Viewpoint) -> ReplicaItem {
    guard let replica else { return ReplicaItem(removed: stopping, of: deployment, view) }
    return ReplicaItem(replica, of: deployment, stopping: stopping, view)
  }

  func isOn(_ node: ID<Node>, _ view: Viewpoint) -> Bool {
    if replica?.node == node { return true }
    return view.state.nodes[node]?.attempts.contains { $0.replica == id } ?? false
  }
}

extension Shelves {
  /// By their deployments' names, and then by their numbers.
  static let replicas = Shelf<ReplicaItem>(
    "replicas", filters: replicaFilters,
    sorts: [
      .id { $0.id.deployment }, .count("failures") { $0.replica?.failures ?? 0 },
    ],
    key: { listed, _ in ListKey(listed.deployment.nameKey, Int64(listed.number)) },
    things: .inOrder { view, from in
      let stopping = Shelves.stopping(view)
      return view.state.deployments.inOrder(from: from?.words).lazy.flatMap { deployment in
        let isBegun = from.map { $0.words == deployment.nameKey } ?? false
        return listed(deployment, stopping, from: isBegun ? Int(clamping: from?.number ?? 0) : 0)
      }
    },
    items: { view in { $0.item(view) } },
    find: findReplica)

  private static var replicaFilters: [ListFilter<ListedReplica>] {
    let phases = [ReplicaItem.waitingPhase, "unknown"] + AttemptPhase.allCases.map(\.rawValue)
    return [
      .deployment(among: { listed([$0], $1) }) { $0.deployment.id == $1 },
      .provider(
        among: { provider, view in
          let found = models(of: provider, view).flatMap { deployments(of: $0.id, view) }
          return listed(found, view)
        }
      ) { listed, view in view.state.models[listed.deployment.model]?.provider },
      .model(among: { listed(deployments(of: $0, $1), $1) }) { listed, model, _ in
        listed.deployment.model == model
      },
      .node(
        among: { node, view in
          let here = Set(node.attempts.map(\.replica))
          return listed(deployments(on: node, view), view).filter { here.contains($0.id) }
        }
      ) { listed, node, view in listed.isOn(node, view) },
      .oneOf(
        "status", phases,
        among: { status, view in
          // All replicas of the others are ready.
          let deployments = view.state.deployments
          return status == AttemptPhase.ready.rawValue
            ? nil : listed(deployments.summary.unsteady.compactMap { deployments[$0] }, view)
        }
      ) { listed, view in
        [
          ReplicaItem.phase(
            of: listed.replica, stopping: listed.stopping, listed.deployment, view)
        ]
      },
    ]
  }

  private static func listed(_ deployments: [Deployment], _ view: Viewpoint) -> [ListedReplica] {
    let stopping = stopping(view)
    return deployments.flatMap { Array(listed($0, stopping)) }
  }

  /// So many numbers that are no replica's are looked at for one that is.
  private static let gapsLimit = 8

  /// In the order of their numbers, which were given out one after another: a page looks at those it shows.
  private static func listed(
    _ deployment: Deployment, _ stopping: [Position: [Attempt]], from first: Int = 0
  ) -> some Sequence<ListedReplica> {
    let owner = ListedReplica.Owner(deployment)
    let left = Dictionary(
      grouping: stopping[deployment.id.position] ?? [], by: \.id.replica.number)
    let replicas = deployment.replicas
    let first = max(first, 1)
    let span = first..<max(first, deployment.lastNumber + 1)
    let numbers: AnySequence<Int>
    if span.count / gapsLimit <= replicas.count + left.count {
      numbers = AnySequence(span.lazy.filter { replicas[$0] != nil || left[$0] != nil })
    } else {
      // It had many more once.
      let there = Set(replicas.keys).union(left.keys)
      numbers = AnySequence(there.filter { $0 >= first }.sorted())
    }
    return numbers.lazy.map {
      ListedReplica(owner: owner, number: $0, stopping: left[$0] ?? [])
    }
  }

  @Sendable private static func findReplica(_ view: Viewpoint, _ text: String) -> ReplicaItem? {
    for listed in listed(candidates(text, view.state), view) {
      let name = listed.deployment.replicaName(listed.number).lowercased()
      if listed.id.description == text || name == text.lowercased() { return listed.item(view) }
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
