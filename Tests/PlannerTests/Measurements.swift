// How long a pass takes at the size that one leading wharfd is made for. Run by
// `WHARF_MEASURE=1 swift test -c release --filter Measurements`.

import Glibc
import HashTreeCollections
import Hosting
import Planner
import TestKit
import Testing

@Suite(.enabled(if: getenv("WHARF_MEASURE") != nil), .serialized)
struct Measurements {
  private func cluster(
    nodes: Int, devices: Int, deployments: Int, replicas: Int, providers: Int = 4
  ) throws -> World {
    var world = World()
    for index in 0..<providers {
      try world.addProvider(Name("p\(index)"))
      try world.addModel(ModelReference(jsonText: "p\(index)/m"), needs: .devices(1))
    }
    for index in 0..<nodes { try world.addNode(Name("n\(index)"), .devices(devices)) }
    for index in 0..<deployments {
      try world.addDeployment(
        Name("d\(index)"), of: ModelReference(jsonText: "p\(index % providers)/m:1"),
        replicas: replicas)
    }
    return world
  }

  private func heard(_ world: World) -> Signals {
    Signals(
      hearingSeconds: 10_000,
      heard: Dictionary(
        uniqueKeysWithValues: world.state.nodes.byID.keys.map {
          ($0, .init(silentSeconds: 3, incarnation: "agent-1"))
        }))
  }

  /// Of this thread: what others do on the machine is not measured.
  private static var cpuSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private func report(_ what: String, _ world: World) -> Plan {
    let signals = heard(world)
    var found = Plan()
    let spent = (0..<3).map { _ in
      let start = Self.cpuSeconds
      found = plan(world.state, signals, now: world.now)
      return Self.cpuSeconds - start
    }
    let milliseconds = (spent.min() ?? 0) * 1_000
    print("MEASURED \(what): \(milliseconds) ms CPU, \(found.decisions.count) decisions")
    return found
  }

  @Test(arguments: [
    (1_000, 8, 100, 10, "1,000 replicas of 100 deployments on 1,000 nodes"),
    (1_000, 8, 1, 1_000, "1,000 replicas of 1 deployment on 1,000 nodes"),
    (1_000, 8, 1_000, 1, "1,000 replicas of 1,000 deployments on 1,000 nodes"),
    (10_000, 10, 1_000, 10, "10,000 replicas of 1,000 deployments on 10,000 nodes"),
    (10_000, 10, 2, 5_000, "10,000 replicas of 2 deployments on 10,000 nodes"),
    (10_000, 10, 1_000, 100, "100,000 replicas of 1,000 deployments on 10,000 nodes"),
  ]) func placing(nodes: Int, devices: Int, deployments: Int, replicas: Int, what: String) throws {
    var world = try cluster(
      nodes: nodes, devices: devices, deployments: deployments, replicas: replicas)
    let found = report("placing \(what)", world)
    for command in found.decisions { try world.perform(command, by: .wharfd) }
    let after = report("nothing to do after it", world)
    #expect(after.decisions.isEmpty)
    try world.addDeployment("extra", of: "p0/m:1", replicas: 1)
    _ = report("one more replica after it", world)
    try world.addModel("p0/large", needs: .devices(64))
    try world.addDeployment("huge", of: "p0/large:1", replicas: 10)
    for command in report("ten that fit nowhere", world).decisions {
      try world.perform(command, by: .wharfd)
    }
    #expect(report("while ten wait", world).decisions.isEmpty)
  }
}
