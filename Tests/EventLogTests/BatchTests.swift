// Deciding a batch, without a database: each command sees what the ones before it led to.

import Hosting
import TestKit
import Testing

@testable import EventLog

@Suite struct BatchTests {
  private let now = Timestamp(microseconds: 1_000_000)

  private func batch(_ commands: [any Command], ids: [CommandID]? = nil) -> Batch {
    let pending = commands.enumerated().map { index, command in
      let request = CommandRequest(
        id: ids?[index] ?? .random(), command: command, principal: .tester)
      return PendingCommand(
        request: request, seal: request.seal(Rig.secret), deadline: .now, answer: { _ in })
    }
    return Batch(pending, after: HostingState(), hash: Chain.origin, now: now, sealing: .nothing)
  }

  private func codes(_ batch: Batch) -> [String] {
    batch.outcomes.map(\.outcome).map { outcome in
      switch outcome {
      case .accepted: "accepted"
      case .failed(.refused(let refusal, _)): refusal.code
      case .failed(let failure): "\(failure)"
      }
    }
  }

  @Test func `the first breaks what the second needs: the second is refused, the third goes on`() {
    let xai = Name(known: "xai")
    let result = batch([
      RegisterProvider(name: xai), SuspendProvider(provider: xai),
      OnboardModel(
        model: try! ModelReference(jsonText: "xai/grok-3"), task: .chat, contextLength: nil),
      RegisterProvider(name: Name(known: "openai")),
    ])
    #expect(codes(result) == ["accepted", "accepted", "providerSuspended", "accepted"])
    #expect(result.rows.map(\.position) == [1, 2, 3])
    #expect(result.state.providers.count == 2)
  }

  @Test func `two that fit only singly: one wins`() {
    let result = batch([
      RegisterProvider(name: Name(known: "xai")), RegisterProvider(name: Name(known: "XAI")),
    ])
    #expect(codes(result) == ["accepted", "nameTaken"])
  }

  @Test func `one id twice in a batch is one command`() {
    let id = CommandID.random()
    let command = RegisterProvider(name: Name(known: "xai"))
    let result = batch([command, command], ids: [id, id])
    #expect(codes(result) == ["accepted", "accepted"])
    #expect(result.rows.count == 1)
  }

  @Test func `who is disabled in a batch has no say in the rest of it`() throws {
    let (admin, invitation, token) = (Digest.numbered(1), Digest.numbered(2), Digest.numbered(3))
    var world = World()
    try world.perform(
      AdmitFirstAdmin(name: "ann", token: admin, prefix: "wt"), by: .wharfd)
    try world.perform(
      InvitePerson(name: "bob", role: .operator, invitation: invitation), by: .testAdmin)
    let moment = world.now
    let invited = try #require(world.state.principal(presenting: invitation, now: moment))
    try world.perform(AcceptInvitation(token: token, prefix: "wt"), by: invited)
    let bob = try #require(world.state.principal(presenting: token, now: moment))
    let waiting = [
      (DisablePerson(name: "bob") as any Command, Principal.testAdmin),
      (RegisterProvider(name: "xai"), bob), (RegisterProvider(name: "openai"), bob),
    ].map { command, principal in
      let request = CommandRequest(id: .random(), command: command, principal: principal)
      return PendingCommand(
        request: request, seal: request.seal(Rig.secret), deadline: .now, answer: { _ in })
    }
    let result = Batch(
      waiting, after: world.state, hash: Chain.origin, now: moment, sealing: .open)
    #expect(codes(result) == ["accepted", "credentialEnded", "credentialEnded"])
    #expect(result.state.providers.count == 0)
  }

  @Test func `times never fall, though the clock does`() {
    var state = HostingState()
    let early = batch([RegisterProvider(name: Name(known: "xai"))])
    for row in early.rows { try! state.fold(row, .none) }
    let request = CommandRequest(
      id: .random(), command: RegisterProvider(name: Name(known: "b")), principal: .tester)
    let pending = PendingCommand(
      request: request, seal: request.seal(Rig.secret), deadline: .now, answer: { _ in })
    let late = Batch(
      [pending], after: state, hash: early.hash, now: Timestamp(microseconds: 500),
      sealing: .nothing)
    #expect(late.rows[0].recordedAt == now)
  }

  @Test func `the hash covers every column`() {
    let row = batch([RegisterProvider(name: Name(known: "xai"))]).rows[0]
    func changed(_ change: (inout StoredEvent) -> Void) -> Digest {
      var other = row
      change(&other)
      return Chain.hash(of: other, after: Chain.origin)
    }
    func copy(
      position: Position? = nil, stream: Stream? = nil, type: String? = nil, version: Int? = nil,
      data: String? = nil, metadata: String? = nil, id: CommandID? = nil, seal: Digest?? = nil,
      correlation: CommandID? = nil, causation: Position? = nil, actor: Actor? = nil,
      at: Timestamp? = nil
    ) -> StoredEvent {
      StoredEvent(
        position: position ?? row.position, stream: stream ?? row.stream, type: type ?? row.type,
        schemaVersion: version ?? row.schemaVersion,
        data: data.map { Array($0.utf8) } ?? row.data,
        metadata: metadata.map { Array($0.utf8) } ?? row.metadata, commandID: id ?? row.commandID,
        commandHash: seal ?? row.commandHash, correlationID: correlation ?? row.correlationID,
        causation: causation ?? row.causation, actor: actor ?? row.actor,
        recordedAt: at ?? row.recordedAt, hash: row.hash)
    }
    let variants = [
      copy(position: 2), copy(stream: .log), copy(type: "providerReinstated"), copy(version: 2),
      copy(data: "{}"), copy(metadata: "{\"reason\":\"x\"}"), copy(id: .random()),
      copy(seal: .some(nil)), copy(correlation: .random()), copy(causation: 1),
      copy(actor: .wharfd), copy(at: Timestamp(microseconds: 1)),
    ]
    let hashes = variants.map { Chain.hash(of: $0, after: Chain.origin) } + [row.hash]
    #expect(Set(hashes).count == 13)
    #expect(Chain.hash(of: row, after: Chain.origin) == row.hash)
    #expect(Chain.hash(of: row, after: Digest(sha256Of: [])) != row.hash)
    #expect(changed { $0.hash = .zero } == row.hash)
  }
}

@Suite struct InboxTests {
  private func pending(_ actor: Int) -> PendingCommand {
    let request = CommandRequest(
      id: .random(), command: PlaceMark(name: Name(known: "m")), principal: .tester(actor))
    return PendingCommand(
      request: request, seal: .zero, deadline: .now, answer: { _ in })
  }

  @Test func `a flood of one caller does not starve another`() {
    var lines = InboxLines()
    for _ in 0..<1_000 { _ = lines.add(pending(1), limits: InboxLimits()) }
    _ = lines.add(pending(2), limits: InboxLimits())
    #expect(lines.count == 1_001)
    let taken = lines.take(2)
    let first = taken.map { $0.request.principal.actor.description }
    #expect(first == ["person/2", "person/3"])
    #expect(lines.count == 999)
  }

  @Test
  func `however many nodes report, what is decided about them has its share, and so have persons`()
  {
    func pending(_ actor: Actor) -> PendingCommand {
      let request = CommandRequest(
        id: .random(), command: PlaceMark(name: Name(known: "m")),
        principal: Principal(actor: actor, role: .system))
      return PendingCommand(request: request, seal: .zero, deadline: .now, answer: { _ in })
    }
    var limits = InboxLimits()
    limits.commandsInAll = 1_000
    var lines = InboxLines()
    for node in 1...1_001 {
      let isTaken = lines.add(pending(.of(Stream(.node, Position(Int64(node))))), limits: limits)
      #expect(isTaken == (node <= 1_000))
    }
    let areTaken = (0..<100).map { _ in lines.add(pending(.wharfd), limits: limits) }
    #expect(!areTaken.contains(false))
    let taken = lines.take(20).map(\.request.principal.actor)
    #expect(taken.count { $0 == .wharfd } == 10)
    // All of it comes in the end, and in the order of its line.
    let others = lines.take(2_000)
    #expect(others.count == 1_080 && lines.count == 0)
    for _ in 0..<30 { _ = lines.add(pending(.wharfd), limits: limits) }
    for person in 1...30 {
      _ = lines.add(pending(.of(Stream(.person, Position(Int64(person))))), limits: limits)
    }
    for node in 1...30 {
      _ = lines.add(pending(.of(Stream(.node, Position(Int64(node))))), limits: limits)
    }
    let third = lines.take(30).map(\.request.principal.actor)
    #expect(third.count { $0 == .wharfd } == 10)
    #expect(
      third.count { if case .of(let stream) = $0 { stream.kind == .person } else { false } } == 10)
  }

  @Test func `a full line turns away its caller only, a full inbox everyone`() {
    var limits = InboxLimits()
    limits.commandsPerActor = 2
    limits.commandsInAll = 3
    var lines = InboxLines()
    let taken = [1, 1, 1, 2, 3].map { lines.add(pending($0), limits: limits) }
    #expect(taken == [true, true, false, true, false])
  }

  @Test func `more callers than keep a line come and go, each in turn and none for another`() {
    var lines = InboxLines()
    let callers = 3_000
    for round in 0..<3 {
      for caller in 0..<callers {
        _ = lines.add(pending(caller + round * callers / 2), limits: InboxLimits())
      }
      _ = lines.add(pending(round * callers / 2), limits: InboxLimits())
      let taken = lines.take(callers + 1).map(\.request.principal)
      #expect(taken.prefix(callers) == (0..<callers).map { .tester($0 + round * callers / 2) }[...])
      #expect(taken.last == .tester(round * callers / 2))
      #expect(lines.count == 0)
    }
  }

  @Test func `what waited too long is taken out, the rest stays`() {
    var lines = InboxLines()
    for actor in 0..<5 { _ = lines.add(pending(actor), limits: InboxLimits()) }
    let early = lines.takeExpired(.now - .seconds(60))
    #expect(early.isEmpty)
    #expect(lines.count == 5)
    let late = lines.takeExpired(.now + .seconds(1))
    #expect(late.count == 5)
    #expect(lines.count == 0)
  }
}

@Suite struct CandidacyTests {
  private let start = ContinuousClock.now
  private func seen(_ beat: Int64, alive: Bool = true, instance: String? = "a")
    -> Candidacy.Sighting
  {
    Candidacy.Sighting(instance: instance, beat: beat, sessionAlive: alive, address: "")
  }

  private func expect(
    _ wanted: Bool, _ found: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(wanted == found, sourceLocation: sourceLocation)
  }

  @Test func `nobody ever led, or the leader stepped down: at once`() {
    var candidacy = Candidacy()
    expect(true, candidacy.shouldLead(nil, at: start))
    expect(true, candidacy.shouldLead(seen(4, instance: nil), at: start))
  }

  @Test func `a beat that goes on is left alone`() {
    var candidacy = Candidacy()
    for beat in 0..<60 {
      expect(false, candidacy.shouldLead(seen(Int64(beat)), at: start + .seconds(beat * 2)))
    }
  }

  @Test func `a beat that stands still is taken over after ten seconds, not before`() {
    var candidacy = Candidacy()
    expect(false, candidacy.shouldLead(seen(1), at: start))
    expect(false, candidacy.shouldLead(seen(1), at: start + .seconds(9)))
    expect(true, candidacy.shouldLead(seen(1), at: start + .seconds(10)))
  }

  @Test func `a session that is gone twice in a row is taken over at once`() {
    var candidacy = Candidacy()
    expect(false, candidacy.shouldLead(seen(1, alive: false), at: start))
    expect(true, candidacy.shouldLead(seen(1, alive: false), at: start + .milliseconds(100)))
  }

  @Test func `a session that came back is left alone`() {
    var candidacy = Candidacy()
    expect(false, candidacy.shouldLead(seen(1, alive: false), at: start))
    expect(false, candidacy.shouldLead(seen(2, alive: true), at: start + .seconds(1)))
    expect(false, candidacy.shouldLead(seen(2, alive: false), at: start + .seconds(2)))
  }
}
