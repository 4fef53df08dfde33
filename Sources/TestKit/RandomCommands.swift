// Commands at random, from a seed: everything people, agents and the reconciler do, so that every
// table gets rows, changes them and loses some. A command may be refused; that is part of it.

import HashTreeCollections
import Hosting

/// SplitMix64: the same numbers from the same seed, on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

package struct Wish: Sendable {
  package let command: any Command
  package let principal: Principal

  package init(command: any Command, principal: Principal) {
    self.command = command
    self.principal = principal
  }
}

package struct RandomCommands: Sendable {
  private var random: SeededGenerator
  private var serial = 0
  private static let admin = Principal(actor: .of(Stream(.person, 4)), role: .admin)
  /// Within every agreement above and below, so that the time decides nothing.
  private static let now = Timestamp("2026-01-01")!

  package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// The next command, chosen with a look at the state so that most are accepted.
  package mutating func next(_ state: HostingState) -> Wish {
    serial += 1
    if state.engines.count == 0 { return wish(define("sim")) }
    if state.providers.count < 2 { return wish(RegisterProvider(name: name("maker"))) }
    if state.nodes.count < 3 { return growNodes(state) }
    if state.models.count < 2 { return growModels(state) }
    switch Int.random(in: 0..<104, using: &random) {
    case 100...: return tokens(state) ?? report(state)
    case 0..<6: return people(state)
    case 6..<14: return providers(state)
    case 14..<24: return growModels(state)
    case 24..<40: return teams(state)
    case 40..<47: return growNodes(state)
    case 47..<54: return nodes(state)
    case 54..<66: return deployments(state)
    case 66..<82: return place(state)
    default: return report(state)
    }
  }

  private func wish(_ command: any Command, by principal: Principal = Self.admin) -> Wish {
    Wish(command: command, principal: principal)
  }

  private mutating func name(_ prefix: String) -> Name { Name(known: "\(prefix)-\(serial)") }

  private mutating func digest() -> Digest {
    Digest(bytes: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })
  }

  private mutating func pick<Element>(_ elements: some Collection<Element>) -> Element? {
    elements.randomElement(using: &random)
  }

  private mutating func email() -> Email {
    do { return try Email("ann\(serial)@example.com") } catch { preconditionFailure("\(error)") }
  }

  private mutating func chance(_ percent: Int) -> Bool {
    Int.random(in: 0..<100, using: &random) < percent
  }
}

// People, providers, models, teams.
extension RandomCommands {
  private mutating func people(_ state: HostingState) -> Wish {
    switch Int.random(in: 0..<5, using: &random) {
    case 0, 1:
      return wish(
        InvitePerson(
          name: name("ann"), email: serial % 3 == 0 ? email() : nil,
          role: pick([.admin, .operator, .viewer])!, invitation: digest()))
    case 2:
      if let invited = pick(state.persons.sorted.filter { $0.status == .invited }) {
        return wish(
          AcceptInvitation(token: digest(), prefix: text("whp_\(serial)")),
          by: Principal(actor: .of(invited.id.stream), role: .invited))
      }
    case 3:
      if let person = pick(state.persons.sorted) {
        if state.unerased.contains(person.id) {
          return wish(NoteErasure(persons: [person.id], snapshots: serial), by: .wharfd)
        }
        // The admin sends all of this.
        guard let name = person.name.known, name.text == "admin" || serial % 3 > 0 else {
          return wish(ForgetPerson(person: .id(person.id)))
        }
        return wish(DisablePerson(name: name))
      }
    default: return wish(PlaceMark(name: name("mark")))
    }
    if serial % 5 == 0 { return wish(SetGatewayGrace(seconds: serial)) }
    if let gateway = pick(state.gateways.sorted), chance(50) {
      let processes = state.processes(of: gateway.id)
      if processes.count < 2 {
        return wish(
          StartGatewayProcess(incarnation: "gate-\(serial)", address: "10.0.0.1:\(serial)"),
          by: Principal(actor: .of(gateway.id.stream), role: .gateway))
      }
      if serial % 2 == 0 {
        return wish(NoteSilentGateways(processes: [processes[0].id]), by: .wharfd)
      }
      return wish(RemoveGateway(gateway: gateway.name))
    }
    return wish(RegisterGateway(name: name("gate"), credential: digest()))
  }

  /// Tokens made and ended, and the notes of what came to its end.
  private mutating func tokens(_ state: HostingState) -> Wish? {
    if let due = pick(state.dueEndings(at: state.recordedAt).commands) {
      return wish(due, by: .wharfd)
    }
    guard let person = pick(state.persons.sorted.filter { $0.status == .active }) else {
      return nil
    }
    let holder = Principal(actor: .of(person.id.stream), role: person.role)
    if chance(60) {
      return wish(
        IssueToken(
          name: name("token"), token: digest(), prefix: text("whp-\(serial)"),
          validHours: chance(60) ? 1 : nil), by: holder)
    }
    guard let token = pick(person.tokens),
      let called = token.name ?? (try? Name(token.prefix.value))
    else { return nil }
    return wish(RevokeToken(token: called), by: holder)
  }

  private mutating func providers(_ state: HostingState) -> Wish {
    guard let provider = pick(state.providers.sorted) else {
      return wish(RegisterProvider(name: name("maker")))
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0:
      return wish(
        RegisterProvider(name: name("maker"), title: text("Ma\u{308}ker \"\(serial)\" \\ é")))
    case 1: return wish(SuspendProvider(provider: provider.name))
    case 2, 3: return wish(ReinstateProvider(provider: provider.name))
    case 4:
      return wish(
        AmendAgreement(
          provider: provider.name, scope: Self.scopes.randomElement(using: &random), audiences: nil,
          until: nil, noticeDays: Int.random(in: 0...90, using: &random)))
    case 5: return wish(TerminateAgreement(provider: provider.name, end: nil))
    case 6:
      if let agreement = provider.agreement {
        return wish(EndAgreement(agreement: agreement), by: .wharfd)
      }
    default: break
    }
    return sign(provider)
  }

  private static let scopes: [[Workload]] = [
    [.inference], [.inference, .evaluation], Workload.allCases,
  ]

  private mutating func sign(_ provider: Provider) -> Wish {
    wish(
      SignAgreement(
        provider: provider.name,
        terms: Terms(
          scope: [.inference], audiences: [.internal, .external], from: Timestamp(microseconds: 0),
          until: chance(30) ? Timestamp("2999-01-01") : nil, noticeDays: 0)))
  }

  private mutating func growModels(_ state: HostingState) -> Wish {
    guard let provider = pick(state.providers.sorted) else {
      return wish(RegisterProvider(name: name("maker")))
    }
    if provider.agreement == nil { return sign(provider) }
    guard let model = pick(state.models.sorted), chance(75) else {
      return wish(
        OnboardModel(
          model: reference("\(provider.name)/model-\(serial)"), task: .chat,
          contextLength: chance(50) ? serial : nil))
    }
    if model.versions.isEmpty || chance(20) {
      return wish(
        AddModelVersion(
          model: reference("\(model.label):\(serial)"), engine: Name(known: "sim"),
          needs: Needs(
            devices: Int.random(in: 0...2, using: &random), deviceMemory: Bytes(count: 1 << 30),
            cpuMillis: 100, memory: Bytes(count: 1 << 20)), arguments: ["--x", "a,\"b\"\\{}"],
          modelPath: chance(30) ? "/models/\(serial)" : nil, weights: chance(30) ? digest() : nil))
    }
    switch Int.random(in: 0..<20, using: &random) {
    case 0: return wish(DeprecateModel(model: reference(model.label)))
    case 1: return wish(RetireModel(model: reference(model.label)))
    case 2..<7:
      return wish(
        AliasModel(
          model: reference("\(model.label):\(pick(model.versions)!.label)"),
          alias: Name(known: ["stable", "latest"].randomElement(using: &random)!)))
    case 7: return wish(define("sim"))
    default:
      return wish(
        PublishModel(
          model: reference(model.label), audience: pick(Audience.allCases)!,
          stage: pick(Stage.allCases)!))
    }
  }

  private mutating func define(_ engine: String) -> DefineEngine {
    DefineEngine(
      launch: Launch(
        engine: Name(known: engine), command: ["sim", "--port", "${port}", "--n", "\(serial)"],
        environment: ["SETTING": "hidden-from-views"],
        readiness: Launch.Readiness(
          path: "/health", listsModel: true, periodMilliseconds: 100, deadlineSeconds: 60),
        stopGraceSeconds: 5), tasks: [.chat, .completion])
  }

  private mutating func teams(_ state: HostingState) -> Wish {
    guard let team = pick(state.teams.sorted), chance(85) else {
      return wish(RegisterTeam(name: name("team"), audience: pick(Audience.allCases)!))
    }
    let keys = state.keys(of: team.id)
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return wish(SetQuota(team: team.name, quota: quota()))
    case 1, 2:
      return wish(
        IssueKey(
          team: team.name, name: name("key"), secret: digest(), prefix: text("whk_\(serial)"),
          until: chance(30)
            ? Timestamp("2999-01-01") : chance(20) ? state.recordedAt.adding(seconds: 3_600) : nil))
    case 3:
      if let key = pick(keys) {
        return wish(
          RotateKey(
            team: team.name, name: key.name, secret: digest(), prefix: text("whk_\(serial)"),
            graceSeconds: 60))
      }
    case 4:
      if let key = pick(keys) { return wish(RevokeKey(team: team.name, name: key.name)) }
    case 5, 6:
      if let model = pick(team.grants.keys.sorted()), let label = state.models[model]?.label {
        return wish(RevokeAccess(team: team.name, model: reference(label)))
      }
    default: break
    }
    guard let model = pick(state.models.sorted) else { return growModels(state) }
    return wish(GrantAccess(team: team.name, model: reference(model.label), quota: quota()))
  }

  private mutating func quota() -> Quota {
    Quota(
      requestsPerMinute: chance(50) ? serial : nil, tokensPerMinute: chance(30) ? serial * 10 : nil)
  }

  private func reference(_ text: String) -> ModelReference { try! ModelReference(jsonText: text) }
  private func text(_ text: String) -> Text { try! Text(text) }
}

// Nodes, deployments, placement, reports.
extension RandomCommands {
  private mutating func growNodes(_ state: HostingState) -> Wish {
    let tokens = state.credentials.values.filter {
      if case .joinToken = $0.use { true } else { false }
    }
    if let token = pick(tokens.sorted { $0.holder.origin < $1.holder.origin }) {
      return wish(
        JoinNode(name: name("node"), credential: digest(), facts: facts(4)),
        by: Principal(actor: .of(token.holder), role: .joining))
    }
    return wish(
      IssueJoinToken(
        token: digest(), validHours: 1, prefix: chance(50) ? text("whj-\(serial)") : nil))
  }

  private func facts(_ devices: Int) -> NodeFacts {
    NodeFacts(
      address: "127.0.0.1", cpuMillis: 8_000, memory: Bytes(count: 1 << 36),
      devices: (0..<devices).map {
        DeviceFacts(id: "gpu-\($0)", model: "H100", memory: Bytes(count: 80 << 30))
      })
  }

  private mutating func nodes(_ state: HostingState) -> Wish {
    guard let node = pick(state.nodes.sorted) else { return growNodes(state) }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return wish(CordonNode(node: node.name))
    case 1, 2: return wish(UncordonNode(node: node.name))
    case 3, 4: return wish(DeclareNodeLost(node: node.id, silentSeconds: 75), by: .wharfd)
    case 5, 6: return wish(DeclareNodeReturned(node: node.id), by: .wharfd)
    default: return wish(RemoveNode(node: node.name, poweredOff: true))
    }
  }

  private mutating func deployments(_ state: HostingState) -> Wish {
    let current = state.deployments.sorted
    if current.count < 4 || chance(20),
      let model = pick(state.models.sorted.filter { !$0.versions.isEmpty })
    {
      return wish(
        CreateDeployment(
          name: name("serve"), model: reference("\(model.label):\(pick(model.versions)!.label)"),
          replicas: Int.random(in: 0...4, using: &random), exclusive: chance(20)))
    }
    guard let deployment = pick(current) else { return growModels(state) }
    if serial % 3 == 0, let left = state.leaving.min() {
      return wish(
        DismissAttempts(
          deployment: ID(left.replica.deployment), attempts: [left],
          enforced: serial % 2 == 0 ? state.position : nil), by: .wharfd)
    }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return wish(DeleteDeployment(deployment: deployment.name))
    case 1: return wish(StopAttempts(deployment: deployment.id), by: .wharfd)
    case 2:
      return wish(
        RemoveReplicas(
          deployment: deployment.id, replicas: deployment.replicas.keys.sorted(),
          leaving: serial % 2 == 0 ? true : nil), by: .wharfd)
    default:
      return wish(
        ScaleDeployment(
          deployment: deployment.name, replicas: Int.random(in: 0...5, using: &random)))
    }
  }

  /// As the planner would: the first node that fits.
  private mutating func place(_ state: HostingState) -> Wish {
    guard let deployment = pick(state.deployments.sorted),
      let needs = state.models[deployment.model]?.version(deployment.version)?.needs
    else { return deployments(state) }
    var placements: [Placement] = []
    var tentative = Tentative()
    for replica in deployment.replicas.values.sorted(by: { $0.id < $1.id })
    where state.mayBePlaced(replica) {
      for node in state.nodes.sorted {
        guard
          case .success(let devices) = state.fit(needs, on: node, beside: tentative, now: Self.now)
        else {
          continue
        }
        tentative.take(devices, needs, on: node.id)
        placements.append(
          Placement(
            replica: replica.id.number, node: node.id, devices: devices, reason: "first fit"))
        break
      }
    }
    if placements.isEmpty || chance(10) {
      return wish(
        NoteWaiting(
          deployment: deployment.id, replicas: deployment.replicas.keys.sorted(),
          reason: pick(WaitingReason.allCases)!), by: .wharfd)
    }
    return wish(PlaceReplicas(deployment: deployment.id, placements: placements), by: .wharfd)
  }

  private mutating func report(_ state: HostingState) -> Wish {
    guard let node = pick(state.nodes.sorted.filter { !$0.attempts.isEmpty }) else {
      return place(state)
    }
    let ends: [AttemptCause] = [.byItself, .weightsDiffer, .deviceGone, .hung]
    let phases: [AttemptPhase] = [.starting, .loading, .ready, .ready, .unhealthy, .ended]
    let seen = node.attempts.sorted().compactMap { state.attempts[$0] }.map { attempt in
      var phase = chance(60) ? phases.randomElement(using: &random)! : attempt.phase
      if phase == .starting, serial % 3 == 0 { phase = .checkingWeights }
      return ObservedAttempt(
        id: attempt.id, phase: phase, pid: 100 + serial,
        endpoint: phase == .ready ? "http://127.0.0.1:\(9_000 + serial)" : nil,
        exitCode: phase == .ended ? 1 : nil,
        reason: "out of \"memory\" \t\\N",
        ordered: phase == .ended && chance(30) ? .nodeStopped : nil,
        cause: phase == .ended
          ? ends[serial % ends.count] : phase == .unhealthy ? .unanswered : nil,
        device: phase == .ended ? attempt.devices.first : nil,
        weights: phase == .ended
          ? WeightsFound(wanted: .numbered(serial), found: .numbered(serial + 1)) : nil)
    }
    // Now and then a device has gone, perhaps one that is held.
    return wish(
      ReportNode(
        bootID: "boot", incarnation: "\(serial / 50)", generation: node.generation,
        facts: facts(chance(10) ? 2 : 4), attempts: seen,
        troubles: serial % 10 == 0 ? [NodeTrouble.deviceToolFailed, .secretsReadable] : []),
      by: Principal(actor: .of(node.id.stream), role: .agent))
  }
}

extension Name {
  /// A name that a test knows to be well-formed.
  fileprivate init(known text: String) { self = try! Name(text) }
}
