// What is known of all things of a kind together, kept as each of them changes: what is counted here is never
// counted anew, however much there is.

import HashTreeCollections

package protocol Summary: Equatable, Sendable {
  associatedtype Element: Named
  /// What of a thing counts here. Most changes of a thing leave it as it was.
  associatedtype Part: Equatable

  init()
  static func part(of element: Element) -> Part
  mutating func add(_ part: Part, of id: ID<Element>)
  mutating func remove(_ part: Part, of id: ID<Element>)
}

/// Of a kind of which nothing is asked but which things there are.
package struct NoSummary<Element: Named>: Summary {
  package struct Part: Equatable {}

  package init() {}
  package static func part(of element: Element) -> Part { Part() }
  package func add(_ part: Part, of id: ID<Element>) {}
  package func remove(_ part: Part, of id: ID<Element>) {}
}

package struct NodeSummary: Summary {
  package struct Part: Equatable {
    let devices: Int
    let freeDevices: Int
    let ails: Bool
  }

  package private(set) var devices = 0
  package private(set) var freeDevices = 0
  /// Those of which the log says that something is the matter with them.
  package private(set) var ailing: TreeSet<ID<Node>> = []

  package init() {}

  package static func part(of node: Node) -> Part {
    Part(
      devices: node.facts.devices.count, freeDevices: node.freeMemories.count,
      ails: node.status != .active || node.cordoned || node.alarm != nil
        || !node.troubles.isEmpty)
  }

  package mutating func add(_ part: Part, of id: ID<Node>) {
    devices += part.devices
    freeDevices += part.freeDevices
    if part.ails { ailing.insert(id) }
  }

  package mutating func remove(_ part: Part, of id: ID<Node>) {
    devices -= part.devices
    freeDevices -= part.freeDevices
    if part.ails { ailing.remove(id) }
  }
}

package struct DeploymentSummary: Summary {
  package struct Part: Equatable {
    let model: ID<Model>
    let replicas: Int
    let ready: Int
    let isComplete: Bool
    let isSteady: Bool
  }

  package private(set) var replicas = 0
  package private(set) var ready = 0
  /// Those of which fewer replicas than wanted are ready.
  package private(set) var incomplete: TreeSet<ID<Deployment>> = []
  /// Those with a replica that is not ready, or with an attempt that is none's any more.
  package private(set) var unsteady: TreeSet<ID<Deployment>> = []
  package private(set) var ofModel: TreeDictionary<ID<Model>, TreeSet<ID<Deployment>>> = [:]

  package init() {}

  package static func part(of deployment: Deployment) -> Part {
    let (replicas, ready) = (deployment.replicas.count, deployment.ready)
    return Part(
      model: deployment.model, replicas: replicas, ready: ready,
      isComplete: ready >= deployment.wanted,
      isSteady: ready == replicas && deployment.charged == replicas)
  }

  package mutating func add(_ part: Part, of id: ID<Deployment>) {
    replicas += part.replicas
    ready += part.ready
    if !part.isComplete { incomplete.insert(id) }
    if !part.isSteady { unsteady.insert(id) }
    ofModel[part.model, default: []].insert(id)
  }

  package mutating func remove(_ part: Part, of id: ID<Deployment>) {
    replicas -= part.replicas
    ready -= part.ready
    if !part.isComplete { incomplete.remove(id) }
    if !part.isSteady { unsteady.remove(id) }
    ofModel[part.model]?.remove(id)
    if ofModel[part.model]?.isEmpty == true { ofModel[part.model] = nil }
  }
}

package struct ModelSummary: Summary {
  package struct Part: Equatable {
    let provider: ID<Provider>
    let isEmbargoed: Bool
  }

  package private(set) var ofProvider: TreeDictionary<ID<Provider>, Int> = [:]
  /// Those that are published to nobody.
  package private(set) var embargoed: TreeSet<ID<Model>> = []

  package init() {}

  package static func part(of model: Model) -> Part {
    Part(provider: model.provider, isEmbargoed: model.published.isEmpty)
  }

  package mutating func add(_ part: Part, of id: ID<Model>) {
    ofProvider[part.provider, default: 0] += 1
    if part.isEmbargoed { embargoed.insert(id) }
  }

  package mutating func remove(_ part: Part, of id: ID<Model>) {
    let left = (ofProvider[part.provider] ?? 0) - 1
    ofProvider[part.provider] = left > 0 ? left : nil
    if part.isEmbargoed { embargoed.remove(id) }
  }
}
