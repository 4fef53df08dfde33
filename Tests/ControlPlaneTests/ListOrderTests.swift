// Lists of random worlds: what an index finds is what looking at everything finds, in every order and page.

import HashTreeCollections
import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane

@Suite struct ListOrderTests {
  private func pages<Item: NounItem>(
    _ shelf: Shelf<Item>, _ view: Viewpoint, sort: ListQuery.Sort? = nil,
    _ filters: [(String, String)] = [], by limit: Int
  ) throws -> [Item] {
    var query = ListQuery.everything
    query.sort = sort
    query.filters = filters.map { (name: $0.0, value: $0.1) }
    query.limit = limit
    var items: [Item] = []
    repeat {
      let page = try shelf.page(view, query)
      #expect(page.items.count <= limit && (page.next == nil || page.items.count == limit))
      items += page.items
      // As a client gives it back.
      query.after = try page.next.map {
        try #require(
          ListKey(
            text: $0.text(in: shelf.path, sortedBy: sort), in: shelf.path, sortedBy: sort))
      }
    } while query.after != nil
    return items
  }

  private struct Narrowed<Item> {
    let name: String
    let values: [String]
    /// Found by looking at all.
    let expected: (Item, String) -> Bool

    init(_ name: String, _ values: [String], _ expected: @escaping (Item, String) -> Bool) {
      self.name = name
      self.values = values
      self.expected = expected
    }
  }

  /// Checks a list in its orders, and narrowed by each of these.
  private func check<Item: NounItem>(
    _ shelf: Shelf<Item>, _ view: Viewpoint, _ narrowings: [Narrowed<Item>] = []
  ) throws {
    let all = shelf.all(view)
    for limit in [1, 7, 1_000] {
      #expect(try pages(shelf, view, by: limit).map(\.id) == all.map(\.id), "\(shelf.path)")
    }
    for name in shelf.sorts {
      let forth = try pages(
        shelf, view, sort: ListQuery.Sort(name: name, isReversed: false), by: 5)
      let back = try pages(shelf, view, sort: ListQuery.Sort(name: name, isReversed: true), by: 3)
      #expect(forth.map(\.id) == back.map(\.id).reversed(), "\(shelf.path) by \(name)")
      #expect(Set(forth.map(\.id)) == Set(all.map(\.id)) && forth.count == all.count)
    }
    for narrowed in narrowings {
      for value in narrowed.values {
        let found = try pages(shelf, view, [(narrowed.name, value)], by: 4).map(\.id)
        let expected = all.filter { narrowed.expected($0, value) }.map(\.id)
        #expect(found == expected, "\(shelf.path) with \(narrowed.name)=\(value)")
      }
    }
  }

  @Test(arguments: 0..<UInt64(8)) func `lists of any world are whole, sorted and narrowed rightly`(
    seed: UInt64
  ) throws {
    var history = try RandomHistory(seed: seed)
    for count in [60, 400, 1_500] {
      try history.grow(to: count)
      let state = history.world.state
      let view = Viewpoint(state: state, moment: state.recordedAt)
      let deployments = state.deployments.sorted.map(\.name.text)
      let nodes = state.nodes.sorted.map(\.name.text)
      let providers = state.providers.sorted.map(\.name.text)
      let models = state.models.sorted.map(\.label)
      try check(Shelves.providers, view)
      try check(Shelves.agreements, view)
      try check(Shelves.persons, view)
      try check(Shelves.teams, view)
      try check(Shelves.marks, view)
      try check(
        Shelves.models, view,
        [Narrowed("provider", providers) { $0.label.hasPrefix("\($1)/") }])
      try check(
        Shelves.keys, view,
        [Narrowed("team", state.teams.sorted.map(\.name.text)) { $0.team == $1 }])
      try check(
        Shelves.nodes, view,
        [
          Narrowed("status", ["active", "lost", "invited"]) { $0.status.rawValue == $1 },
          Narrowed("status", ["cordoned"]) { item, _ in item.cordoned },
          Narrowed("deployment", deployments) { isOn(state, $0.name, $1) },
        ])
      try check(
        Shelves.deployments, view,
        [
          Narrowed("provider", providers) { $0.model.hasPrefix("\($1)/") },
          Narrowed("model", models) { $0.model == $1 },
          Narrowed("node", nodes) { isPlaced(state, $0.name, $1) },
          Narrowed("status", ["complete", "incomplete", "deleted"]) { item, status in
            let isIncomplete = item.ready < item.wanted
            if item.deletedAt != nil { return status == "deleted" }
            return status == (isIncomplete ? "incomplete" : "complete")
          },
        ])
      let phases = ["waiting", "unknown"] + AttemptPhase.allCases.map(\.rawValue)
      try check(
        Shelves.replicas, view,
        [
          Narrowed("status", phases) { $0.phase == $1 },
          Narrowed("deployment", deployments) { $0.deployment.text == $1 },
          Narrowed("provider", providers) { label(state, $0.deployment).hasPrefix("\($1)/") },
          Narrowed("model", models) { label(state, $0.deployment) == $1 },
        ])
    }
  }

  @Test func `replicas of a deployment that had many more are listed as those of any`() throws {
    var world = World()
    try world.addProvider("xai")
    try world.addModel("xai/m", needs: .devices(1))
    for name in ["first", "many", "then"] as [Name] {
      try world.addDeployment(name, of: "xai/m:1", replicas: 4)
    }
    func names() throws -> [String] {
      let view = Viewpoint(state: world.state, moment: world.now)
      try check(Shelves.replicas, view)
      return Shelves.replicas.all(view).map(\.name).filter { $0.hasPrefix("many") }
    }
    try world.perform(ScaleDeployment(deployment: "many", replicas: 90))
    #expect(try names() == (1...90).map { "many-\($0)" })
    try world.perform(ScaleDeployment(deployment: "many", replicas: 2))
    let many = try #require(world.state.deployments.named("many")?.id)
    try world.perform(
      RemoveReplicas(deployment: many, replicas: Array(2...89)), by: .wharfd)
    #expect(try names() == ["many-1", "many-90"])
    try world.perform(ScaleDeployment(deployment: "many", replicas: 3))
    #expect(try names().last == "many-91")
  }

  private func isOn(_ state: HostingState, _ node: Name, _ deployment: String) -> Bool {
    let id = state.deployments.named(Name(known: deployment))?.id
    return state.nodes.named(node)?.attempts.contains { $0.replica.deploymentID == id } ?? false
  }

  private func isPlaced(_ state: HostingState, _ deployment: Name, _ node: String) -> Bool {
    guard let node = state.nodes.named(Name(known: node)) else { return false }
    return state.deployments.named(deployment)?.placedOn[node.id] != nil
  }

  private func label(_ state: HostingState, _ deployment: Name) -> String {
    state.deployments.named(deployment).flatMap { state.models[$0.model] }?.label ?? ""
  }

  @Test(arguments: 0..<UInt64(8)) func `the status counts what there is, in any world`(
    seed: UInt64
  ) throws {
    var history = try RandomHistory(seed: seed)
    for count in [60, 400, 1_500] {
      try history.grow(to: count)
      let state = history.world.state
      let counts = StatusItem(
        Viewpoint(state: state, moment: state.recordedAt), hash: nil, behind: nil,
        standing: "leading", you: "root", role: .admin
      ).counts
      let deployments = state.deployments.byID.values
      let nodes = state.nodes.byID.values
      #expect(counts.replicas == deployments.reduce(0) { $0 + $1.replicas.count })
      let ready = deployments.map { $0.replicas.values.count(where: state.isReady) }
      #expect(counts.ready == ready.reduce(0, +))
      #expect(counts.devices == nodes.reduce(0) { $0 + $1.facts.devices.count })
      #expect(counts.freeDevices == nodes.reduce(0) { $0 + state.freeDevices(of: $1).count })
    }
  }
}
