// Properties of the domain and the planner over random histories: commands of people, reports of
// agents, losses, time that passes, and plans that are committed. A seed replays a failure.

import Glibc
import HashTreeCollections
import Planner
import TestKit
import Testing

@testable import Hosting

@Suite struct Properties {
  /// `WHARF_SEEDS=1000` tries that many.
  private static let seeds = getenv("WHARF_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 12

  @Test(arguments: 0..<seeds)
  func `whatever happens, the charges are right and the plan leaves nothing undone`(
    seed: UInt64
  ) throws {
    var history = try History(seed: seed)
    for step in 0..<120 {
      try history.step()
      let faults = history.faults()
      #expect(faults.isEmpty, "seed \(seed), step \(step): \(faults)")
      if !faults.isEmpty { return }
    }
    try history.replay()
  }
}

extension HostingState {
  /// The indexes that are not what they index.
  fileprivate var indexFaults: [String] {
    var faults: [String] = []
    let generations = nodes.byID.values.map { NodeMark(node: $0.id, position: $0.generation) }
    if self.generations != TreeSet(generations) { faults.append("generations of nodes") }
    let changes = nodes.byID.values.map { NodeMark(node: $0.id, position: $0.changed) }
    if nodeChanges != TreeSet(changes) { faults.append("changes of nodes") }
    let keys = Dictionary(grouping: self.keys.values, by: \.team).mapValues {
      TreeSet($0.map(\.id))
    }
    if keysOf != TreeDictionary(uniqueKeysWithValues: keys) { faults.append("keys of teams") }
    if !streamHeads.keys.allSatisfy(isThere) { faults.append("heads of streams that are gone") }
    var endings = Endings()
    for key in self.keys.values { endings.add(.secret(key.secret), until: key.until) }
    for (secret, credential) in credentials {
      switch credential.use {
      case .token(let until): endings.add(.secret(secret), until: until)
      case .joinToken(let until): endings.add(.secret(secret), until: until)
      case .invitation, .agent, .gateway, .removed: break
      }
    }
    for team in teams.byID.values {
      for grant in team.grants.values {
        endings.add(.grant(team.id, grant.model), until: grant.until)
      }
    }
    for agreement in agreements.values where !agreement.ended {
      endings.add(.beginning(agreement.id), until: agreement.terms.from)
      endings.add(.agreement(agreement.id), until: agreement.end)
    }
    if self.endings != endings { faults.append("endings") }
    for (kind, isSo) in [
      ("persons", persons.isAsMadeAnew), ("providers", providers.isAsMadeAnew),
      ("models", models.isAsMadeAnew), ("teams", teams.isAsMadeAnew),
      ("nodes", nodes.isAsMadeAnew), ("deployments", deployments.isAsMadeAnew),
      ("gateways", gateways.isAsMadeAnew),
    ] where !isSo {
      faults.append("the names or the summary of \(kind)")
    }
    for deployment in deployments.byID.values
    where deployment.ready != deployment.replicas.values.count(where: isReady) {
      faults.append("how many replicas of \(deployment.name) answer")
    }
    return faults
  }
}

extension Catalog {
  /// Whether its order and its summary are those of what it holds.
  fileprivate var isAsMadeAnew: Bool {
    var anew = Catalog()
    for id in byID.keys.sorted() {
      guard let element = self[id], (try? anew.insert(element)) != nil else { return false }
    }
    return anew == self
  }
}

@Suite struct IndexProperties {
  @Test(arguments: 0..<UInt64(12)) func `indexes are what they index, whatever happened`(
    seed: UInt64
  ) throws {
    var history = try RandomHistory(seed: seed)
    for count in stride(from: 20, through: 1_500, by: 40) {
      try history.grow(to: count)
      let faults = history.world.state.indexFaults
      #expect(faults.isEmpty, "seed \(seed), after \(count) events: \(faults)")
    }
  }

  @Test(arguments: 0..<UInt64(12))
  func `what nodes are to run differs between two states for those that are named`(
    seed: UInt64
  ) throws {
    var history = try RandomHistory(seed: seed)
    var old = history.world.state
    for count in stride(from: 20, through: 1_500, by: 10) {
      try history.grow(to: count)
      let new = history.world.state
      let all = Set(old.nodes.byID.keys).union(new.nodes.byID.keys)
      let changed = all.filter { old.nodes[$0]?.generation != new.nodes[$0]?.generation }
      #expect(new.reassigned(since: old) == changed)
      #expect(new.changedNodes(since: old) == all.filter { old.nodes[$0] != new.nodes[$0] })
      old = new
    }
  }

  @Test func `the next end and those that came are found as by looking at all`() {
    var random = SplitMix64(seed: 5)
    var endings = Endings()
    var all: [(until: Timestamp, ending: Ending)] = []
    for number in 0..<400 {
      // Within a minute, an hour, a day or some years, of before 1970 too, and many at once.
      let span: Int64 = random.pick([1, 60, 3_600, 86_400, 300_000_000]) * 1_000_000
      let until =
        random.chance(20)
        ? Timestamp(microseconds: 86_400_000_000)
        : Timestamp(microseconds: Int64.random(in: -span...span, using: &random))
      let ending = Ending.grant(ID(Position(Int64(number))), ID(1))
      endings.add(ending, until: until)
      all.append((until, ending))
    }
    for _ in 0..<400 {
      let some = random.pick(all).until.microseconds
      let now = Timestamp(microseconds: some + Int64.random(in: -1...1, using: &random))
      let due = all.filter { $0.until <= now }.sorted {
        ($0.until, $0.ending) < ($1.until, $1.ending)
      }
      #expect(endings.due(at: now) == due.map(\.ending))
      #expect(endings.next(after: now) == all.map(\.until).filter { $0 > now }.min())
      if all.count > 40 {
        let gone = all.remove(at: Int.random(in: 0..<all.count, using: &random))
        endings.remove(gone.ending, until: gone.until)
      }
    }
    for (until, ending) in all { endings.remove(ending, until: until) }
    #expect(endings == Endings())
  }

  @Test func `of many ended grants a team remembers the last`() throws {
    var world = World()
    try world.addProvider("xai")
    try world.perform(RegisterTeam(name: "copilot", audience: .internal))
    let count = 2 * Team.endedGrantsKept
    for number in 0..<count {
      let model = try ModelReference(jsonText: "xai/m\(number)")
      try world.addModel(model, needs: .devices(1, of: .gib(1)))
      try world.perform(PublishModel(model: model, audience: .internal, stage: .general))
      try world.perform(GrantAccess(team: "copilot", model: model))
    }
    for number in 0..<count {
      world.pass(seconds: 1)
      try world.perform(
        RevokeAccess(team: "copilot", model: ModelReference(jsonText: "xai/m\(number)")))
    }
    let team = try #require(world.state.teams.named("copilot"))
    #expect(team.grants.isEmpty && team.endedGrants.count == Team.endedGrantsKept)
    let last = try #require(world.state.models.keyed("xai/m\(count - 1)"))
    #expect(team.endedGrants[last.id]?.cause == .revoked)
    let first = try #require(world.state.models.keyed("xai/m0"))
    #expect(team.endedGrants[first.id] == nil)
  }
}

/// A random history.
private struct History {
  let seed: UInt64
  var random: SplitMix64
  var world = World(formatLevel: FormatLevel.first)
  /// Nodes that are silent, since when.
  var silent: [ID<Node>: Timestamp] = [:]
  /// What agents know: the generation that each acts on.
  var generations: [ID<Node>: Position] = [:]
  var nodesMade = 0
  var deploymentsMade = 0
  var planned = false
  var memory = PlanMemory()

  init(seed: UInt64) throws {
    self.seed = seed
    random = SplitMix64(seed: seed)
    for provider in ["xai", "openai", "meta"] as [Name] {
      try world.addProvider(provider)
      for devices in [0, 1, 2, 4] {
        let needs = Needs.devices(devices, of: .gib(random.pick([10, 30, 70])))
        try world.addModel(ModelReference(jsonText: "\(provider)/m\(devices)"), needs: needs)
      }
    }
    for _ in 0..<5 { try addNode() }
    for _ in 0..<4 { try addDeployment() }
  }

  private mutating func addNode() throws {
    nodesMade += 1
    let id = try world.addNode(
      Name("n\(nodesMade)"),
      .devices(
        random.pick([0, 1, 2, 4, 8]), of: .gib(random.pick([16, 40, 80])),
        cpuMillis: random.pick([2_000, 16_000]), memory: .gib(random.pick([16, 256]))))
    generations[id] = 0
  }

  private mutating func addDeployment() throws {
    deploymentsMade += 1
    let model = "\(random.pick(["xai", "openai", "meta"]))/m\(random.pick([0, 1, 2, 4])):1"
    attempt(
      CreateDeployment(
        name: try Name("d\(deploymentsMade)"), model: try ModelReference(jsonText: model),
        replicas: random.pick([0, 1, 2, 5]), exclusive: random.chance(20)))
  }

  /// A command that may well be refused.
  private mutating func attempt(_ command: any Command, by principal: Principal = .testAdmin) {
    _ = try? world.perform(command, by: principal)
  }

  mutating func step() throws {
    planned = false
    world.pass(seconds: random.pick([0, 0, 1, 5, 30]))
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<30: try planAndCommit()
    case 30..<60: reportSomewhere()
    case 60..<66: goSilentOrBack()
    case 66..<74: scaleOrDelete()
    case 74..<78: try addDeployment()
    case 78..<81: try addNode()
    case 81..<85: cordonOrRemove()
    case 85..<92: providerMatters()
    case 92..<95: rebootSomewhere()
    default: commitStalePlan()
    }
  }

  private func signals() -> Signals {
    var signals = Signals(hearingSeconds: world.now.seconds(since: World.start) + 100)
    for id in world.state.nodes.byID.keys {
      let seconds = silent[id].map { world.now.seconds(since: $0) } ?? 1
      signals.heard[id] = .init(silentSeconds: seconds, incarnation: "agent-1")
    }
    return signals
  }

  private mutating func planAndCommit() throws {
    let fresh = plan(world.state, signals(), now: world.now)
    let remembered = plan(world.state, signals(), now: world.now, remembering: &memory)
    #expect(
      fresh.text(of: world.state, now: world.now)
        == remembered.text(of: world.state, now: world.now), "seed \(seed)")
    #expect(fresh.alarms == remembered.alarms && fresh.wakeAt == remembered.wakeAt)
    for command in remembered.decisions {
      let events = try world.perform(command, by: .wharfd)
      #expect(!events.isEmpty, "seed \(seed): \(command) changes nothing")
    }
    planned = true
  }

  /// A plan made before something else was decided: each decision does what it still can.
  private mutating func commitStalePlan() {
    let stale = plan(world.state, signals(), now: world.now)
    scaleOrDelete()
    reportSomewhere()
    providerMatters()
    for command in stale.decisions.shuffled(using: &random) { attempt(command, by: .wharfd) }
  }

  private mutating func someNode() -> Node? {
    let nodes = world.state.nodes.sorted
    return nodes.isEmpty ? nil : random.pick(nodes)
  }

  private mutating func reportSomewhere() {
    guard let node = someNode() else { return }
    // The agent may not have heard of the newest assignment yet.
    if random.chance(70) { generations[node.id] = node.generation }
    let known = generations[node.id] ?? 0
    var seen: [ObservedAttempt] = []
    for id in node.attempts.sorted() where id.placedAt <= known {
      guard let attempt = world.state.attempts[id] else { continue }
      let phases: [AttemptPhase] =
        attempt.stopping
        ? [.stopping, .ended] : [.starting, .loading, .ready, .ready, .ready, .unhealthy, .ended]
      if random.chance(95) {
        seen.append(ObservedAttempt(attempt, random.pick(phases), exitCode: 1))
      }
    }
    attempt(
      ReportNode(
        bootID: node.bootID, incarnation: node.incarnation, generation: known, facts: node.facts,
        attempts: seen), by: .agent(node.id))
  }

  private mutating func rebootSomewhere() {
    guard let node = someNode() else { return }
    generations[node.id] = 0
    var facts = node.facts
    if random.chance(30), !facts.devices.isEmpty { facts.devices.removeLast() }
    attempt(
      ReportNode(
        bootID: node.bootID + "'", incarnation: "agent-1", generation: 0, facts: facts, attempts: []
      ),
      by: .agent(node.id))
  }

  private mutating func goSilentOrBack() {
    guard let node = someNode() else { return }
    if silent.removeValue(forKey: node.id) == nil {
      silent[node.id] = world.now.adding(seconds: -Int64(random.pick([0, 80])))
    }
  }

  private mutating func scaleOrDelete() {
    let deployments = world.state.deployments.sorted
    guard !deployments.isEmpty else { return }
    let name = random.pick(deployments).name
    if random.chance(15) {
      attempt(DeleteDeployment(deployment: name))
    } else {
      attempt(ScaleDeployment(deployment: name, replicas: random.pick([0, 1, 2, 3, 6])))
    }
  }

  private mutating func cordonOrRemove() {
    guard let node = someNode() else { return }
    switch Int.random(in: 0..<10, using: &random) {
    case 0: attempt(RemoveNode(node: node.name, poweredOff: random.chance(50)))
    case 1..<5: attempt(CordonNode(node: node.name))
    default: attempt(UncordonNode(node: node.name))
    }
  }

  private mutating func providerMatters() {
    let provider = random.pick(["xai", "openai", "meta"] as [Name])
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4: attempt(SuspendProvider(provider: provider))
    case 4..<8: attempt(ReinstateProvider(provider: provider))
    case 8:
      attempt(TerminateAgreement(provider: provider, end: world.now.adding(seconds: 60)))
    default:
      attempt(
        SignAgreement(
          provider: provider,
          terms: Terms(
            scope: [.inference], audiences: [.internal], from: world.now,
            until: world.now.adding(days: 100), noticeDays: 1)))
    }
  }

  // MARK: What must hold

  func faults() -> [String] {
    chargeFaults() + indexFaults() + (planned ? planFaults() : [])
  }

  private func chargeFaults() -> [String] {
    var faults: [String] = []
    var byNode: [ID<Node>: [String: AttemptID]] = [:]
    var running: [ReplicaID: Int] = [:]
    for attempt in world.state.attempts.values {
      for device in attempt.devices {
        if let other = byNode[attempt.node, default: [:]].updateValue(attempt.id, forKey: device) {
          faults.append("\(device) of \(attempt.node) is charged to \(other) and \(attempt.id)")
        }
      }
      if !attempt.stopping { running[attempt.id.replica, default: 0] += 1 }
    }
    for (replica, count) in running where count > 1 {
      faults.append("\(replica) has \(count) attempts that are to run")
    }
    for node in world.state.nodes.byID.values {
      if node.charges != byNode[node.id] ?? [:] { faults.append("charges of \(node.name)") }
      let here = world.state.attempts.values.filter { $0.node == node.id }
      if node.attempts != Set(here.map(\.id)) { faults.append("attempts of \(node.name)") }
      if node.taken.cpuMillis != here.reduce(0, { $0 + $1.needs.cpuMillis })
        || node.taken.memory.count != here.reduce(0, { $0 + $1.needs.memory.count })
      {
        faults.append("what is taken on \(node.name)")
      }
    }
    return faults
  }

  private func indexFaults() -> [String] {
    let state = world.state
    var faults: [String] = []
    var unsettled: TreeSet<ID<Deployment>> = []
    for deployment in state.deployments.byID.values {
      let replicas = deployment.replicas.values
      let unplaced = replicas.filter { $0.attempt == nil }.map(\.id.number)
      if deployment.unplaced != TreeSet(unplaced) {
        faults.append("unplaced of \(deployment.name)")
      }
      if !unplaced.isEmpty || replicas.count > deployment.wanted { unsettled.insert(deployment.id) }
      if deployment.deletedAt == nil, replicas.count < deployment.wanted {
        faults.append("\(deployment.name) has too few replicas")
      }
      var placedOn: TreeDictionary<ID<Node>, Int> = [:]
      for replica in replicas {
        guard let id = replica.attempt else { continue }
        guard let attempt = state.attempts[id], !attempt.stopping, attempt.node == replica.node
        else {
          faults.append("\(replica.id) rests on \(id), which does not run")
          continue
        }
        placedOn[attempt.node, default: 0] += 1
      }
      if deployment.placedOn != placedOn { faults.append("placedOn of \(deployment.name)") }
      let charged = state.attempts.keys.count { $0.replica.deployment == deployment.id.position }
      if deployment.charged != charged { faults.append("charged of \(deployment.name)") }
      if deployment.deletedAt != nil, charged == 0 { faults.append("\(deployment.name) lingers") }
    }
    if state.unsettled != unsettled { faults.append("unsettled") }
    let lost = state.nodes.byID.values.filter { $0.status == .lost }.map(\.id)
    if state.lostNodes != TreeSet(lost) { faults.append("lost nodes") }
    let lines = state.deploymentsIn.values.reduce(0) { $0 + $1.count }
    if lines != state.deployments.count { faults.append("deployments by line") }
    return faults + state.indexFaults
  }

  /// Just after a plan was committed.
  private func planFaults() -> [String] {
    var faults: [String] = []
    let again = plan(world.state, signals(), now: world.now)
    if !again.decisions.isEmpty {
      faults.append("a second plan: " + again.text(of: world.state, now: world.now))
    }
    if let wakeAt = again.wakeAt, wakeAt <= world.now { faults.append("wakes in the past") }
    for deployment in world.state.deployments.byID.values {
      if deployment.deletedAt == nil, deployment.surplus > 0 {
        faults.append("\(deployment.name) has surplus")
      }
      for number in deployment.unplaced {
        if let fault = reasonFault(deployment, number) { faults.append(fault) }
      }
      if let fault = explanationFault(deployment) { faults.append(fault) }
      if world.state.obstacle(to: deployment, now: world.now) != nil, !deployment.placedOn.isEmpty {
        faults.append("\(deployment.name) is barred and runs")
      }
    }
    return faults
  }

  /// What is explained is what was noted.
  private func explanationFault(_ deployment: Deployment) -> String? {
    guard deployment.deletedAt == nil,
      let found = explain(deployment.id, world.state, signals(), now: world.now)
    else { return nil }
    let isWell = deployment.ready == deployment.wanted
    if found.remedies.isEmpty, deployment.wanted == 0 || !isWell {
      return "\(deployment.name): \(found.verdict), and nothing is said to help"
    }
    let noted = Set(deployment.unplaced.compactMap { deployment.replicas[$0]?.waiting })
    let told = Set(found.replicas.compactMap(\.reason))
    return noted == told ? nil : "\(deployment.name) waits for \(noted), and is told \(told)"
  }

  /// What is wrong with the reason that a replica's waiting is given; asked of every node.
  private func reasonFault(_ deployment: Deployment, _ number: Int) -> String? {
    let state = world.state
    guard let replica = deployment.replicas[number], let reason = replica.waiting,
      let needs = state.models[deployment.model]?.versions.first?.needs
    else { return "\(deployment.replicaName(number)) waits without a reason" }
    let fits = state.nodes.sorted.map {
      state.fit(needs, on: $0, beside: Tentative(), now: world.now)
    }
    let open = state.nodes.sorted.contains { $0.isOpen(now: world.now) }
    let reasons = zip(state.nodes.sorted, fits).flatMap { node, fit in
      guard node.isOpen(now: world.now), case .failure(let unfit) = fit else {
        return [] as [WaitingReason]
      }
      return unfit.shortfalls.map(\.reason)
    }
    let placeable = fits.contains { if case .success = $0 { true } else { false } }
    let obstacle = state.obstacle(to: deployment, now: world.now)
    let isTrue =
      switch reason {
      case .new, .paused, .nodeLost: false
      case .noNodes: fits.isEmpty
      case .noOpenNode: !open && !fits.isEmpty
      case .backingOff: replica.retryAt.map { $0 > world.now } ?? false
      case .agreementEnded, .providerSuspended: obstacle == reason
      case .notEnoughDevices, .deviceMemoryTooSmall, .notEnoughCPU, .notEnoughMemory:
        open && !placeable && reasons.contains(reason)
      case .enginesStopping:
        open && !placeable
          && state.nodes.sorted.compactMap { state.afterStops($0) }.contains {
            (try? state.fit(needs, on: $0, beside: Tentative(), now: world.now).get()) != nil
          }
      }
    return isTrue ? nil : "\(deployment.replicaName(number)) waits, and \(reason) is not why"
  }

  func replay() throws {
    var again = HostingState()
    for recorded in world.log {
      let type = Swift.type(of: recorded.event)
      let read = try EventTypes.decode(
        type: type.type, schemaVersion: type.schemaVersion, data: recorded.event.jsonBytes)
      try again.evolve(read, recorded.fact)
    }
    #expect(again == world.state, "seed \(seed): a replay differs")
  }
}
