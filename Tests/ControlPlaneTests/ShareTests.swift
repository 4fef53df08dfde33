// Limits over several gateways: the leader's book and the gateways' side together, with whatever may go
// wrong between them. Whatever happens, no 60 s hold more requests than the limit, but for what gateways
// that died or were cut off let through unheard.

import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import Gateway

private let limitOfFirst = 20

/// A team whose only limit is its requests a minute.
private struct Asker {
  let limit: Int
  let permission: Permission
  var id: LimitID { LimitID(team: permission.team.id, model: nil, kind: .requests) }

  init(_ number: Int, limit: Int) throws {
    self.limit = limit
    let model = ServedModel(
      id: Stream(.model, 3), name: "xai/grok-3", provider: Stream(.provider, 2), task: "chat",
      contextLength: nil, onboardedAt: Timestamp(microseconds: 0), published: [], versions: [],
      aliases: [:])
    let team = ServedTeam(
      id: Stream(.team, Position(Int64(100 + number))), name: try Name("team-\(number)"),
      audience: .internal, requestsPerMinute: limit, tokensPerMinute: nil)
    permission = Permission(
      team: PolicyIndex.Team(facts: team),
      grant: PolicyAccess(team: team.id, model: model.id, workload: .inference),
      model: PolicyIndex.Model(facts: model), routes: [])
  }
}

/// A process of a gateway.
private struct Edge {
  var book = QuotaBook()
  let process: Position
  /// Its clock began another time.
  let offset: Duration
  var isAlive = true
  /// Nothing that it sends arrives until then.
  var cutUntil = Duration.zero
  var callsAt = Duration.zero
  var isCalling = false
  /// Of each team, how many requests come in a second.
  var rates: [Double]
  /// What it let through, by team.
  var passed: [[Duration]]
  /// When it made the last report that the leader has heard and believed, and when that was heard.
  var heard: (madeAt: Duration, at: Duration)?
  /// Let through in these times, nobody could count it.
  var unheard: [ClosedRange<Duration>] = []
  var lostSince: Duration?
  var stoppedAt: Duration?

  mutating func lose(_ since: Duration) { if lostSince == nil { lostSince = since } }

  mutating func find(_ now: Duration) {
    guard let since = lostSince else { return }
    unheard.append(min(since, now)...now)
    lostSince = nil
  }

  func counts(_ moment: Duration) -> Bool { !unheard.contains { $0.contains(moment) } }
}

/// Gateways, leaders, and what is on its way between them.
private struct Fleet {
  struct Wrongs {
    var losses = 0.0
    var crashes = 0.0
    var cuts = 0.0
    var takeOvers = 0.0
    /// Who asks how much changes now and then.
    var isChanging = true
  }
  enum Message {
    case report(ShareReport, edge: Int, leader: Int, madeAt: Duration)
    case answer(ShareAnswer, edge: Int)
    case gaveUp(round: Int, edge: Int)
  }

  let wrongs: Wrongs
  let askers: [Asker]
  var random: SplitMix64
  let start = ContinuousClock.now
  var now = Duration.seconds(1_000)
  var log = Position(Int64(1_000))
  var edges: [Edge] = []
  /// Those that the log names.
  var processes: [Position] = []
  /// Of each, which processes it knows of, and how long it gives anything.
  var leaders: [(book: ShareBook, processes: [Position], until: Duration?, since: Duration)] = []
  var mail: [(at: Duration, message: Message)] = []
  var rounds: [Int: Int] = [:]

  init(seed: UInt64, limits: [Int], _ wrongs: Wrongs = Wrongs()) throws {
    random = SplitMix64(seed: seed)
    self.wrongs = wrongs
    askers = try limits.enumerated().map { try Asker($0.offset, limit: $0.element) }
    takeOver()
  }

  private mutating func chance(_ part: Double) -> Bool {
    part > 0 && Double.random(in: 0..<1, using: &random) < part
  }

  private mutating func soon(_ seconds: ClosedRange<Double>) -> Duration {
    .milliseconds(Int64(Double.random(in: seconds, using: &random) * 1_000))
  }

  // MARK: What happens

  mutating func takeOver() {
    log = log.next
    if !leaders.isEmpty {
      leaders[leaders.count - 1].until = now + .seconds(Leases.touchSeconds)
      leaders[leaders.count - 1].processes = processes
    }
    leaders.append(
      (ShareBook(epoch: log, ledSince: start + now), processes, nil, now))
    for index in edges.indices {
      edges[index].heard = nil
      // Who is gone was known to the one before only.
      if let stopped = edges[index].stoppedAt, now - stopped < .seconds(61) {
        edges[index].unheard.append((stopped - .seconds(61))...stopped)
      }
    }
  }

  mutating func begin(rates: [Double]) {
    log = log.next
    var edge = Edge(
      process: log, offset: soon(0...5_000), rates: rates, passed: askers.map { _ in [] })
    let policy = PolicyNews(
      position: log, head: HeadWitness(era: 1, position: log, hash: .numbered(0)),
      recordedAt: Timestamp(microseconds: 0), leaseSeconds: Leases.policySeconds, graceSeconds: 0,
      sharesLimits: true, teams: askers.map(\.permission.team.facts))
    edge.book.follow(PolicyIndex(policy), isFirst: true)
    edge.callsAt = now
    edges.append(edge)
    processes.append(log)
  }

  /// - Parameter isTold: the log says so at once, as when another takes its place.
  mutating func crash(_ index: Int, isTold: Bool) {
    edges[index].isAlive = false
    edges[index].lose(edges[index].heard?.madeAt ?? now - .seconds(61))
    edges[index].find(now)
    edges[index].stoppedAt = now
    if isTold { processes.removeAll { $0 == edges[index].process } }
  }

  mutating func leave(_ index: Int) {
    guard let report = edges[index].book.report(now: now + edges[index].offset) else { return }
    let leader = leaders.count - 1
    leaders[leader].book.hearLast(report, of: edges[index].process, at: start + now)
    edges[index].isAlive = false
    edges[index].stoppedAt = now
    log = log.next
    processes.removeAll { $0 == edges[index].process }
  }

  mutating func step() {
    now += soon(0.01...0.25)
    let due = mail.filter { $0.at <= now }.sorted { $0.at < $1.at }
    mail.removeAll { $0.at <= now }
    for item in due { deliver(item.message) }
    for index in edges.indices where edges[index].isAlive {
      noteLost(index)
      call(index)
      ask(index)
    }
    if chance(wrongs.takeOvers) { takeOver() }
    guard let index = edges.indices.filter({ edges[$0].isAlive }).randomElement(using: &random)
    else { return }
    if wrongs.isChanging, chance(0.02) {
      edges[index].rates = askers.map { _ in [0, 0, 0.1, 1, 8].randomElement(using: &random) ?? 0 }
    }
    if chance(wrongs.cuts) { edges[index].cutUntil = now + soon(5...150) }
    if chance(wrongs.crashes), edges.count(where: \.isAlive) > 1 {
      switch Int.random(in: 0..<3, using: &random) {
      case 0: crash(index, isTold: true)
      case 1: crash(index, isTold: false)
      default: leave(index)
      }
    }
    if chance(wrongs.crashes), edges.count(where: \.isAlive) < 4 {
      begin(rates: askers.map { _ in 1 })
    }
  }

  /// The leader takes it for gone.
  private mutating func noteLost(_ index: Int) {
    let led = leaders[leaders.count - 1].since
    if let heard = edges[index].heard {
      if now - heard.at > .seconds(Leases.policySeconds) { edges[index].lose(heard.madeAt) }
    } else if now - led > .seconds(Leases.policySeconds + Leases.touchSeconds) {
      edges[index].lose(led)
    }
  }

  private mutating func ask(_ index: Int) {
    for team in askers.indices where chance(edges[index].rates[team] * 0.13) {
      let admitted = edges[index].book.admit(
        askers[team].permission, TokenWish(promptTokens: 1, answerTokens: 1),
        now: now + edges[index].offset)
      if case .success = admitted { edges[index].passed[team].append(now) }
    }
  }

  private mutating func call(_ index: Int) {
    let early = edges[index].book.shares.wants && now >= edges[index].callsAt - .seconds(4)
    guard !edges[index].isCalling, early || now >= edges[index].callsAt else { return }
    edges[index].callsAt = now + .seconds(Leases.renewalSeconds)
    edges[index].isCalling = true
    guard let report = edges[index].book.report(now: now + edges[index].offset) else { return }
    rounds[index] = report.round
    mail.append((now + .seconds(5), .gaveUp(round: report.round, edge: index)))
    if edges[index].cutUntil > now || chance(wrongs.losses) { return }
    // One that was deposed answers on for a while, and who asks may not know.
    let giving = leaders.indices.filter { leaders[$0].until.map { $0 > now } ?? true }
    let leader = giving.randomElement(using: &random) ?? leaders.count - 1
    // It may be on its way for longer than anybody waits for the answer.
    let delay = chance(wrongs.losses) ? soon(0...12) : soon(0...0.3)
    mail.append(
      (now + delay, .report(report, edge: index, leader: leader, madeAt: now)))
  }

  private mutating func deliver(_ message: Message) {
    switch message {
    case .gaveUp(let round, let index):
      if rounds[index] == round { edges[index].isCalling = false }
    case .report(let report, let index, let leader, let madeAt):
      if let until = leaders[leader].until, until <= now { return }
      let known = leaders[leader].until == nil ? processes : leaders[leader].processes
      let process = edges[index].process
      guard known.contains(process) else { return }
      let answer = leaders[leader].book.answer(
        report, of: process, among: known,
        limit: { [askers] id in askers.first { $0.id == id }?.limit }, at: start + now)
      let epoch = leaders[leader].book.epoch
      if leader == leaders.count - 1, process >= epoch || report.epoch == epoch,
        madeAt > edges[index].heard?.madeAt ?? .zero
      {
        edges[index].heard = (madeAt, now)
      }
      if chance(wrongs.losses) || edges[index].cutUntil > now { return }
      mail.append(
        (now + (chance(wrongs.losses) ? soon(0...12) : soon(0...0.3)), .answer(answer, edge: index))
      )
    case .answer(let answer, let index):
      guard edges[index].isAlive else { return }
      // It may come after its call was given up, and another one made.
      if rounds[index] == answer.round { edges[index].isCalling = false }
      guard edges[index].book.take(answer, era: 1) else { return }
      // It was given a part anew, of what others do not hold.
      if edges[index].heard != nil, answer.base != nil,
        answer.epoch == leaders[leaders.count - 1].book.epoch
      {
        edges[index].find(now)
      }
    }
  }

  mutating func run(seconds: Int64) {
    let end = now + .seconds(seconds)
    while now < end { step() }
    for index in edges.indices { edges[index].find(now) }
  }

  // MARK: What came of it

  /// What was let through for a team and could be counted, in order.
  func counted(_ team: Int) -> [Duration] {
    edges.flatMap { edge in edge.passed[team].filter { edge.counts($0) } }.sorted()
  }

  func all(_ team: Int) -> Int { edges.reduce(0) { $0 + $1.passed[team].count } }

  /// A minute with more than the limit.
  func fault(_ team: Int) -> String? {
    let (passed, limit) = (counted(team), askers[team].limit)
    for index in passed.indices where index + limit < passed.count {
      let span = passed[index + limit] - passed[index]
      if span < .seconds(60) {
        return "\(limit + 1) of \(limit) requests within \(span), from \(passed[index])"
      }
    }
    return nil
  }

  /// How many passed in the last so many seconds.
  func passed(_ team: Int, lastSeconds: Int64) -> Int {
    counted(team).count { now - $0 <= .seconds(lastSeconds) }
  }
}

@Suite struct ShareTests {
  @Test(arguments: UInt64(1)...12) func `no minute has more than the limit over all gateways`(
    seed: UInt64
  ) throws {
    var fleet = try Fleet(
      seed: seed, limits: [1, 3, limitOfFirst, 200], .init(losses: 0.1, takeOvers: 0.001))
    for _ in 0...(seed % 4) { fleet.begin(rates: [1, 1, 8, 8]) }
    fleet.run(seconds: 1_500)
    for team in fleet.askers.indices {
      #expect(fleet.fault(team) == nil, "team \(team)")
      #expect(fleet.counted(team).count * 10 > fleet.all(team) * 9, "nearly all was counted")
    }
  }

  @Test(arguments: UInt64(1)...12)
  func `nor when gateways die, leave, are cut off and begin, but for what was not heard`(
    seed: UInt64
  ) throws {
    var fleet = try Fleet(
      seed: seed, limits: [1, 3, limitOfFirst, 200],
      .init(losses: 0.1, crashes: 0.004, cuts: 0.001, takeOvers: 0.0005))
    for _ in 0..<3 { fleet.begin(rates: [1, 1, 8, 8]) }
    fleet.run(seconds: 2_000)
    for team in fleet.askers.indices { #expect(fleet.fault(team) == nil, "team \(team)") }
    #expect(fleet.counted(2).count * 2 > fleet.all(2))
  }

  @Test func `whoever asks alone gets nearly all, and both half when both ask`() throws {
    var fleet = try Fleet(seed: 7, limits: [limitOfFirst], .init(isChanging: false))
    fleet.begin(rates: [8])
    fleet.run(seconds: 5)
    #expect(fleet.all(0) == limitOfFirst, "one alone gets all of it at once")
    fleet.begin(rates: [0])
    fleet.run(seconds: 240)
    #expect(fleet.passed(0, lastSeconds: 122) >= 2 * (limitOfFirst - 1))
    fleet.edges[1].rates = [8]
    fleet.run(seconds: 240)
    let halves = fleet.edges.map { edge in
      edge.passed[0].count { fleet.now - $0 <= .seconds(122) }
    }
    #expect(halves.allSatisfy { abs($0 - limitOfFirst) <= 1 }, "\(halves)")
    fleet.edges[0].rates = [0]
    fleet.run(seconds: 240)
    #expect(fleet.passed(0, lastSeconds: 122) >= 2 * (limitOfFirst - 1))
    #expect(fleet.fault(0) == nil)
  }

  @Test func `the part of one that died comes back with its lease, of one that left at once`()
    throws
  {
    var fleet = try Fleet(seed: 3, limits: [limitOfFirst], .init(isChanging: false))
    fleet.begin(rates: [8])
    fleet.begin(rates: [8])
    fleet.run(seconds: 120)
    fleet.crash(0, isTold: false)
    fleet.run(seconds: 50)
    #expect(fleet.passed(0, lastSeconds: 49) <= limitOfFirst / 2, "its lease goes on")
    fleet.run(seconds: 90)
    #expect(fleet.passed(0, lastSeconds: 61) == limitOfFirst)
    fleet.begin(rates: [8])
    fleet.run(seconds: 180)
    fleet.leave(1)
    fleet.run(seconds: 75)
    #expect(fleet.passed(0, lastSeconds: 61) == limitOfFirst)
    #expect(fleet.fault(0) == nil)
  }

  @Test func `while nobody leads gateways go on by the parts that they have`() throws {
    var fleet = try Fleet(seed: 5, limits: [limitOfFirst], .init(isChanging: false))
    fleet.begin(rates: [8])
    fleet.begin(rates: [0])
    fleet.run(seconds: 120)
    for index in fleet.edges.indices { fleet.edges[index].cutUntil = fleet.now + .seconds(600) }
    fleet.edges[1].rates = [8]
    let before = fleet.all(0)
    fleet.run(seconds: 305)
    #expect((fleet.all(0) - before) / 5 == limitOfFirst)
    #expect(fleet.edges[1].passed[0].count / 5 == 1, "its floor, and no more")
  }

  /// A leader of epoch 50, and the processes 10 and 20, which one before may have given anything.
  private struct Heir {
    let start = ContinuousClock.now
    var book: ShareBook
    var seconds = 0

    init() { book = ShareBook(epoch: 50, ledSince: start) }

    /// The base that it is given; none, where it is to keep what it has.
    mutating func base(_ process: Position, round: Int, epoch: Position) -> Int? {
      book.answer(
        ShareReport(round: round, epoch: epoch, base: Share.whole / 2, items: []), of: process,
        among: [10, 20], limit: { _ in nil }, at: start + .seconds(seconds)
      ).base
    }
  }

  @Test func `a new leader gives nothing more before all that may hold parts have heard it`() {
    var heir = Heir()
    #expect(heir.base(10, round: 5, epoch: 40) == nil)
    #expect(heir.base(10, round: 6, epoch: 50) == nil, "the other was not heard")
    #expect(heir.base(20, round: 9, epoch: 40) == nil)
    #expect(heir.base(10, round: 7, epoch: 50) == nil, "the other may ask the one before again")
    #expect(heir.base(20, round: 10, epoch: 50) == Share.whole / 2)
    #expect(heir.base(10, round: 7, epoch: 50) == nil, "it was asked for before")
    #expect(heir.base(10, round: 8, epoch: 50) == Share.whole / 2)
  }

  @Test func `nor before the lease is over of one that is not heard`() {
    var heir = Heir()
    #expect(heir.base(10, round: 5, epoch: 50) == nil)
    heir.seconds = Leases.touchSeconds + Leases.policySeconds
    #expect(heir.base(10, round: 6, epoch: 50) == nil)
    heir.seconds += 1
    #expect(heir.base(10, round: 7, epoch: 50) == Share.whole, "it is alone")
  }

  @Test func `a leader whose successor was heard gives nothing more`() {
    var heir = Heir()
    for seconds in [0, 30] {
      heir.seconds = seconds
      _ = (
        heir.base(10, round: 5 + seconds, epoch: 50), heir.base(20, round: 5 + seconds, epoch: 50)
      )
    }
    // Long after it took over, so that whatever was given before is over.
    heir.seconds = 70
    #expect(heir.base(20, round: 40, epoch: 50) == Share.whole / 2)
    #expect(heir.base(10, round: 40, epoch: 60) == nil)
    #expect(heir.base(20, round: 41, epoch: 50) == nil)
  }

  @Test func `what gateways owe is told with what they used`() {
    let id = LimitID(team: Stream(.team, 4), model: nil, kind: .tokens)
    let (now, processes): (ContinuousClock.Instant, [Position]) = (.now, [10, 20])
    var book = ShareBook(epoch: 5, ledSince: now)
    for process in processes {
      let item = ShareReport.Item(limit: id, used: 200, wanted: 200, share: nil, owed: 900)
      let report = ShareReport(round: 1, epoch: 5, base: 0, items: [item])
      _ = book.answer(report, of: process, among: processes, limit: { _ in 200 }, at: now)
    }
    let use = book.use(of: id, among: processes, at: now)
    #expect(use == .init(used: 400, owed: 1800, heardAt: now))
    let item = LimitItem(
      model: nil, kind: .tokens, perMinute: 2000, used: 400, owed: 1800, ageSeconds: nil)
    #expect(item.left == 0 && item.owed == 1800)
  }

  @Test func `parts add up to the limit, and go to who wants them`() {
    func split(_ limit: Int, _ wanted: Int...) -> [Int]? {
      let named = wanted.enumerated().map { (Position(Int64($0.offset)), $0.element) }
      return ShareBook.split(limit, among: Dictionary(uniqueKeysWithValues: named))
        .map { parts in parts.sorted { $0.key < $1.key }.map(\.value) }
    }
    #expect(split(20, 10, 3) == nil, "equal parts do")
    #expect(split(20, 11, 0) == [19, 1])
    #expect(split(20, 20, 20) == nil || split(20, 20, 20) == [10, 10])
    #expect(split(20, 20, 4) == [16, 4])
    #expect(split(600, 600, 0, 0) == [560, 20, 20])
    #expect(split(1, 0, 0, 1) == [0, 0, 1])
    #expect(split(1, 1, 1, 1)?.reduce(0, +) == 1)
    #expect(split(.max, .max, 0)?.reduce(0, +) == .max)
  }

  @Test func `a part is never more than its part, however large the limit is`() {
    for count in 1...40 {
      let base = Share.base(Share.whole / count)
      for limit in [0, 1, 7, 20, 999, 1_000_000_000_000, Int.max] {
        #expect(base.part(of: limit) <= limit / count)
        if count <= 16 { #expect(base.part(of: limit) == limit / count) }
      }
    }
    #expect(Share(units: 19, of: 20).part(of: 40) == 38, "of another limit it is the same part")
    #expect(Share(units: 3, of: 2).part(of: 10) == 0 && Share(units: 1, of: 0).part(of: 10) == 0)
  }
}
