// A snapshot is the state, wholly: what is read back folds on as the state would have, and no field
// can be left out unseen.

import Foundation
import HashTreeCollections
import TestKit
import Testing

import struct Hosting.Stream

@testable import Hosting

@Suite struct SnapshotTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden/Snapshot")

  @Test(arguments: UInt64(1)...2)
  func `after every event, what is read back is the state`(seed: UInt64) throws {
    let history = try SnapshotHistories.all(seed: seed, events: 250)
    var state = HostingState()
    for recorded in history.world.log {
      try state.evolve(recorded.event, recorded.fact)
      let bytes = state.snapshotBytes
      let read = try HostingState(snapshotBytes: bytes)
      guard read == state, read.snapshotBytes == bytes else {
        Issue.record("seed \(seed), position \(state.position)")
        return
      }
    }
  }

  @Test(arguments: UInt64(1)...2)
  func `a snapshot and the events after it give what all events give`(seed: UInt64) throws {
    let history = try SnapshotHistories.all(seed: seed, events: 250)
    let log = history.world.log
    for count in stride(from: 0, through: log.count, by: 41) {
      var state = try HostingState(snapshotBytes: history.state(after: count).snapshotBytes)
      for recorded in log[count...] { try state.evolve(recorded.event, recorded.fact) }
      // Bytes are stricter than equality, to which names of another case are the same.
      #expect(state == history.world.state)
      #expect(state.snapshotBytes == history.world.state.snapshotBytes, "from position \(count)")
    }
  }

  /// With this, a field that is not written fails the tests above: two of its values cannot both be
  /// read back.
  @Test func `every field of the state has more than one value in these histories`() throws {
    var values = FieldValues()
    for seed in UInt64(1)...3 {
      let history = try SnapshotHistories.all(seed: seed, events: 400)
      for count in stride(from: 20, through: history.world.log.count, by: 10) {
        values.note(try history.state(after: count))
      }
    }
    #expect(values.fields.count > 150)
    // Of some kinds nothing is summed up, and what was folded has no part that is still to be read.
    let constant = values.constant.filter {
      !$0.hasSuffix(">.summary") && !($0.hasPrefix("Unread<") && $0.hasSuffix(".bytes"))
    }
    #expect(constant == [], "let SnapshotHistories or RandomCommands vary these fields")
  }

  @Test func `one state has one sequence of bytes, whatever way it came about`() throws {
    let history = try SnapshotHistories.all(seed: 7, events: 300)
    // Read back, the maps were filled in another order.
    let bytes = history.world.state.snapshotBytes
    var state = try HostingState(snapshotBytes: bytes)
    for _ in 0..<3 { state = try HostingState(snapshotBytes: state.snapshotBytes) }
    #expect(state.snapshotBytes == bytes)
    #expect(SnapshotFormat.description.hasPrefix("\(SnapshotFormat.version) "))
  }

  @Test(arguments: [0, 1, 3, 400])
  func `a part is the same whether it is read or not, and changes by itself`(count: Int) throws {
    let value = TreeDictionary(
      uniqueKeysWithValues: (0..<count).map { (ID<Model>(Position(Int64($0))), "model \($0)") })
    func bytes(_ part: Unread<TreeDictionary<ID<Model>, String>>) -> [UInt8] {
      var writer = SnapshotWriter()
      writer.write(part)
      writer.integer(7)
      return writer.bytes
    }
    let written = bytes(Unread(value))
    func read() throws -> Unread<TreeDictionary<ID<Model>, String>> {
      var reader = SnapshotReader(written)
      let part: Unread<TreeDictionary<ID<Model>, String>> = try reader.read()
      #expect(try reader.integer() == 7, "what stands behind it")
      try reader.end()
      return part
    }
    let part = try read()
    #expect(bytes(part) == written)
    #expect(part.value == value && part == Unread(value))
    var changed = part
    changed.value[ID(Position(1_000))] = "another"
    #expect(changed.value.count == count + 1 && part.value == value)
    changed.value[ID(Position(1_000))] = nil
    #expect(bytes(changed) == written)
    var late = try read()
    late.value[ID(Position(1_000))] = "another"
    #expect(late.value.count == count + 1)
  }

  @Test func `bytes that were cut, changed or continued are refused or read as something else`()
    throws
  {
    let history = try SnapshotHistories.all(seed: 8, events: 150)
    let bytes = history.world.state.snapshotBytes
    for count in stride(from: 0, to: bytes.count, by: 61) {
      #expect(throws: SnapshotDamage.self) {
        _ = try HostingState(snapshotBytes: Array(bytes[..<count]))
      }
    }
    #expect(throws: SnapshotDamage.self) { _ = try HostingState(snapshotBytes: bytes + [0]) }
    // Whatever a byte is changed to, reading ends; the seal in the database tells that it was.
    for index in stride(from: 0, to: bytes.count, by: 53) {
      var damaged = bytes
      damaged[index] ^= 0xFF
      if let read = try? HostingState(snapshotBytes: damaged) {
        #expect(read.snapshotBytes != bytes)
      }
    }
  }

  /// A snapshot of an earlier program is read only while this program would have folded the same. A
  /// stored history and its state say whether it does.
  @Test func `the golden history still folds to the golden snapshot of this version`() throws {
    let historyFile = Self.folder.appending(path: "history.jsonl")
    let stateFile = Self.folder.appending(path: "state.v\(SnapshotFormat.version).snapshot")
    let writes = ProcessInfo.processInfo.environment["WHARF_WRITE_GOLDEN"] != nil
    if writes, !FileManager.default.fileExists(atPath: historyFile.path) {
      let history = try SnapshotHistories.all(seed: 1, events: 300)
      try Data(GoldenHistory.lines(of: history.world.log)).write(to: historyFile)
    }
    let state = try GoldenHistory.fold(Array(Data(contentsOf: historyFile)))
    if writes, !FileManager.default.fileExists(atPath: stateFile.path) {
      try Data(state.snapshotBytes).write(to: stateFile)
    }
    let golden = try Array(Data(contentsOf: stateFile))
    #expect(
      state.snapshotBytes == golden,
      """
      the state has another form, or events fold otherwise, than when \(stateFile.lastPathComponent) \
      was written: raise SnapshotFormat.version, and write it anew with WHARF_WRITE_GOLDEN=1
      """)
    let read = try HostingState(snapshotBytes: golden)
    #expect(read == state)
  }
}

/// Histories in which every field of the state has more than one value.
enum SnapshotHistories {
  static func all(seed: UInt64, events: Int) throws -> RandomHistory {
    var history = try RandomHistory(seed: seed)
    try history.grow(to: 40)
    try history.add { try vary(&$0, Int(seed)) }
    try history.grow(to: events)
    return history
  }

  private static func waiting(_ serial: Int) throws -> Launch {
    var launch = Launch.test(try Name("waiting-\(serial)"))
    launch.liveness = Launch.Liveness(
      path: serial == 1 ? nil : "/alive-\(serial)", periodSeconds: serial, failures: serial,
      graceSeconds: serial,
      request: serial == 2
        ? nil
        : .init(path: "/ask-\(serial)", body: "{\"n\":\(serial)}", timeoutSeconds: serial))
    launch.waits = Launch.Waits(
      firstByteSeconds: serial, idleSeconds: serial, wholeSeconds: serial * 10)
    return launch
  }

  /// What random commands leave as it is.
  private static func vary(_ world: inout World, _ variant: Int) throws {
    world.pass(seconds: 1)
    let database = DatabaseIdentity(systemIdentifier: "8", timeline: 9, database: 1, table: 2)
    try world.happen(EraBegan(database: database))
    for node in world.state.nodes.sorted.prefix(1) {
      try world.happen(
        NodeAlarmed(alarm: "it lacks what I saw", seen: Position(9)), on: node.id.stream)
      try world.happen(EraAccepted(era: world.state.position), on: node.id.stream)
    }
    try world.perform(
      TakeLeadership(instance: "two", address: "b", database: database, nodeLostSeconds: 75),
      by: .wharfd)
    try world.perform(
      TakeLeadership(
        instance: "two", address: "b", database: database, nodeLostSeconds: 20 + variant),
      by: .wharfd)
    if variant % 2 == 0 {
      try world.perform(
        RaiseFormatLevel(level: FormatLevel.current + variant, readers: []), by: .wharfd)
    }
    // A log of before says nothing of its secret.
    if variant % 2 == 0 {
      try world.perform(RecordClusterSecret(fingerprint: .numbered(variant)), by: .wharfd)
    }
    for index in 0..<(2 + variant % 2) {
      let secret = world.newSecret()
      try world.perform(
        InvitePerson(
          name: try Name("odd-\(index)"), email: try Email("odd@example.com"), role: .viewer,
          invitation: secret), by: .testAdmin)
    }
    try world.perform(ForgetPerson(person: .name("odd-0")), by: .testAdmin)
    try world.perform(
      NoteErasure(persons: world.state.unerased.sorted(), snapshots: 1), by: .wharfd)
    try world.perform(
      DefineEngine(
        launch: Launch(
          engine: "other", command: ["other"], environment: ["N": "\(variant)"],
          readiness: Launch.Readiness(
            path: "/ready", listsModel: false, periodMilliseconds: 300, deadlineSeconds: 90),
          stopGraceSeconds: 10), tasks: [.embedding]))
    // A log of before has none of what came with format level 3.
    for serial in 1...3 where variant % 2 == 0 {
      try world.perform(DefineEngine(launch: waiting(serial), tasks: [.chat]))
    }
    for name in ["gate-a", "gate-b"] as [Name] {
      try world.perform(RegisterGateway(name: name, credential: world.newSecret()))
      let gateway = Principal(actor: .of(Stream(.gateway, world.state.position)), role: .gateway)
      for number in 1...2 {
        try world.perform(
          StartGatewayProcess(
            incarnation: "\(name)-\(number)", address: "10.0.0.\(variant):748\(number)"),
          by: gateway)
      }
      world.pass(seconds: 1)
    }
    try world.perform(RemoveGateway(gateway: "gate-a"))
    for minutes in [7, 9, 11] {
      try world.perform(SetGatewayGrace(seconds: minutes * 60 + variant))
      world.pass(seconds: 300_000)
    }
    try world.perform(RegisterProvider(name: "variant"))
    try world.perform(
      SignAgreement(
        provider: "variant",
        terms: Terms(
          scope: [.evaluation, .inference], audiences: [.internal],
          from: World.start.adding(days: -1), until: nil, noticeDays: 7)))
    try world.perform(
      OnboardModel(model: "variant/embed", task: .embedding, contextLength: 512))
    try world.perform(
      AddModelVersion(
        model: "variant/embed:1", engine: "other", needs: .devices(1, of: .gib(30)),
        arguments: nil, modelPath: nil, weights: nil))
    try world.perform(PublishModel(model: "variant/embed", audience: .internal, stage: .preview))
    for (team, days) in [("variant-brief", 1), ("variant-long", 900)] as [(Name, Int)] {
      try world.perform(RegisterTeam(name: team, audience: .internal))
      try world.perform(
        GrantAccess(
          team: team, model: "variant/embed", workload: .evaluation,
          until: world.now.adding(days: days)))
    }
    world.pass(seconds: 2 * 86_400)
    if let brief = world.state.teams.named("variant-brief"), let model = brief.grants.keys.first {
      try world.perform(ExpireGrant(team: brief.id, model: model), by: .wharfd)
    }
    let node = try world.addNode(
      "odd",
      NodeFacts(
        address: "10.0.0.9", cpuMillis: 16_000, memory: .gib(256),
        devices: [DeviceFacts(id: "d0", model: "A100", memory: .gib(40))]))
    let deployment = try world.addDeployment("variant", of: "variant/embed:1", replicas: 1)
    try world.perform(
      PlaceReplicas(
        deployment: deployment,
        placements: [Placement(replica: 1, node: node, devices: ["d0"], reason: "fits")]),
      by: .wharfd)
    // In words, as before there were codes.
    for attempt in world.state.nodes[node]?.attempts.sorted() ?? [] {
      let seen = ObservedAttempt(
        id: attempt, phase: .loading, reason: "loading weights \(variant)")
      try world.happen(
        NodeReported(
          bootID: "boot-1", incarnation: "agent-2", facts: nil, attempts: [AttemptChange(seen)]),
        on: node.stream)
    }
    if variant % 2 == 0 {
      try world.happen(ClusterSecretRecorded(fingerprint: .numbered(100 + variant)))
    }
    try world.perform(
      CreateDeployment(
        name: "variant-2", model: "variant/embed:1", replicas: 1, workload: .evaluation))
    for _ in 0..<2 {
      try world.perform(DeclareNodeLost(node: node, silentSeconds: 80), by: .wharfd)
      try world.perform(DeclareNodeReturned(node: node), by: .wharfd)
    }
    try world.becomeReady()
    try world.perform(ScaleDeployment(deployment: "variant", replicas: 0))
    try world.perform(
      RemoveReplicas(deployment: deployment, replicas: [1], leaving: true), by: .wharfd)
  }
}

/// Which values each stored property of each type had, found by reflection.
private struct FieldValues {
  private(set) var fields: [String: Set<Int>] = [:]

  var constant: [String] { fields.filter { $0.value.count < 2 }.keys.sorted() }

  mutating func note(_ value: Any) {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .struct {
      for child in mirror.children {
        let field = "\(type(of: value)).\(child.label ?? "?")"
        fields[field, default: []].insert(String(describing: child.value).hashValue)
      }
    }
    for child in mirror.children { note(child.value) }
  }
}

/// A stored history as text, one event a line.
private enum GoldenHistory {
  private struct Line: JSONRecord {
    let stream: Stream
    let type: String
    let schemaVersion: Int
    let recordedAt: Timestamp
    let actor: String
    let data: String
  }

  static func lines(of log: [World.Recorded]) -> [UInt8] {
    log.flatMap { recorded in
      Line(
        stream: recorded.fact.stream, type: type(of: recorded.event).type,
        schemaVersion: type(of: recorded.event).schemaVersion, recordedAt: recorded.fact.recordedAt,
        actor: recorded.fact.actor.description,
        data: String(decoding: recorded.event.jsonBytes, as: UTF8.self)
      ).jsonBytes + [UInt8(ascii: "\n")]
    }
  }

  static func fold(_ bytes: [UInt8]) throws -> HostingState {
    var state = HostingState()
    for text in bytes.split(separator: UInt8(ascii: "\n")) {
      let line = try Line(jsonBytes: Array(text))
      let event = try EventTypes.decode(
        type: line.type, schemaVersion: line.schemaVersion, data: Array(line.data.utf8))
      let actor = try #require(Actor(line.actor))
      try state.evolve(
        event,
        Fact(
          position: state.position.next, stream: line.stream, recordedAt: line.recordedAt,
          actor: actor))
    }
    return state
  }
}
