// What a leader counts of the leases of gateways: from when they were given, by whomever, to whichever
// process.

import HashTreeCollections
import Hosting
import TestKit
import Testing
import Wire

@testable import ControlPlane
@testable import EventLog

/// A leader of epoch 5, and the gateway g1 with one process, which an earlier leader may have known.
private struct Led {
  let book = GatewayBook()
  let start = ContinuousClock.now
  var world: World
  var epoch: Position
  let gateway: ID<Gateway>

  /// - Parameter graceSeconds: set before all else.
  init(formatLevel: Int = FormatLevel.current, graceSeconds: Int? = 0) throws {
    world = World(formatLevel: formatLevel)
    if let graceSeconds, formatLevel >= FormatLevel.kept, graceSeconds != 900 {
      try world.perform(SetGatewayGrace(seconds: graceSeconds))
    }
    try world.perform(RegisterGateway(name: "g1", credential: .numbered(1)))
    gateway = ID(world.state.position)
    epoch = world.state.position
  }

  mutating func start(_ incarnation: String) throws {
    try world.perform(
      StartGatewayProcess(incarnation: incarnation, address: "10.0.0.7:7480"),
      by: Principal(actor: .of(gateway.stream), role: .gateway))
  }

  /// Another leads from now on.
  mutating func takeOver() throws {
    try world.perform(PlaceMark(name: Name("m\(world.state.position)")))
    epoch = world.state.position
  }

  var head: Head { Head(state: world.state, hash: .numbered(0), standing: .leading(epoch: epoch)) }

  func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  func give(
    _ incarnation: String = "a", enforcing position: Position = .empty,
    serving: [AttemptID]? = [], withPolicy: Bool = false, after seconds: Double,
    from head: Head? = nil
  ) -> GatewayBook.Given {
    let process = world.state.process(of: gateway, incarnation: incarnation)
    return book.give(
      GatewayBook.Wish(
        key: .init(gateway: gateway, incarnation: incarnation), name: "g1", process: process?.id,
        address: "10.0.0.7:7480", enforcing: position, serving: serving, withPolicy: withPolicy),
      from: head ?? self.head, epoch: epoch, at: at(seconds))
  }

  func standing(
    of position: Position, after seconds: Double, touched: Double? = nil
  ) -> [EnforcementItem] {
    book.standing(
      in: head, asked: position, epoch: epoch, asOf: at(touched ?? seconds), at: at(seconds))
  }

  func left(of position: Position, after seconds: Double) -> [Double] {
    standing(of: position, after: seconds).map { ($0.leaseSeconds * 10).rounded() / 10 }
  }

  func holds(_ position: Position, after seconds: Double) -> Bool {
    standing(of: position, after: seconds).allSatisfy { $0.holds(position) }
  }
}

@Suite struct GatewayBookTests {
  private static let lease = Double(Leases.policySeconds)
  private static let touch = Double(Leases.touchSeconds)

  private func widened(_ seconds: Double) -> Double {
    seconds * (1 + Double(Leases.driftPerMille) / 1_000)
  }

  @Test func `a lease counts from when it was given, reported or not`() throws {
    var led = try Led()
    #expect(led.standing(of: 2, after: 0).isEmpty, "nothing serves")
    try led.start("a")
    #expect(led.holds(3, after: 0), "it was given nothing yet")
    #expect(led.give(withPolicy: true, after: 1) == .given)
    #expect(!led.holds(3, after: 1))
    #expect(!led.holds(3, after: 1 + Self.lease), "clocks run apart")
    #expect(led.holds(3, after: 1 + widened(Self.lease) + 0.01))
  }

  @Test func `two processes with one credential are two`() throws {
    var led = try Led()
    try led.start("a")
    try led.start("b")
    #expect(led.give("a", enforcing: 4, withPolicy: true, after: 0) == .given)
    #expect(led.give("b", enforcing: 3, withPolicy: true, after: 0) == .given)
    let items = led.standing(of: 4, after: 1)
    #expect(items.map(\.incarnation) == ["a", "b"] && items.map { $0.holds(4) } == [true, false])
    #expect(led.give("b", enforcing: 4, after: 1) == .given)
    #expect(led.holds(4, after: 1))
  }

  @Test func `a removed gateway counts until its lease is over`() throws {
    var led = try Led()
    try led.start("a")
    #expect(led.give(withPolicy: true, after: 0) == .given)
    try led.world.perform(RemoveGateway(gateway: "g1"))
    #expect(!led.holds(9, after: 1))
    #expect(led.standing(of: 9, after: 1).map(\.removed) == [true])
    #expect(led.holds(9, after: widened(Self.lease) + 0.01))
    var vouched = led
    try vouched.world.perform(VouchGatewayOff(gateway: "g1"))
    #expect(vouched.standing(of: 9, after: 1).isEmpty)
  }

  @Test func `what a leader before it may have given counts from its takeover on`() throws {
    var led = try Led()
    try led.start("a")
    try led.takeOver()
    let longest = widened(Self.touch + Self.lease)
    #expect(led.left(of: 9, after: 0) == [(longest * 10).rounded() / 10])
    // It asks for its lease by an older policy: that ends no earlier for it.
    #expect(led.give(enforcing: 3, after: 1) == .given)
    #expect(!led.holds(9, after: longest - 0.1))
    #expect(!led.holds(9, after: Self.lease + 1), "a deposed leader may give for its touch")
    #expect(led.holds(9, after: longest + 0.1))
    #expect(led.give(enforcing: 9, withPolicy: true, after: longest + 1) == .given)
    #expect(led.holds(9, after: longest + 1))
  }

  @Test func `the grace counts, as long as it was for the policy that is enforced`() throws {
    var led = try Led(graceSeconds: 900)
    try led.start("a")
    let first = led.world.state.position
    #expect(led.give(enforcing: first, withPolicy: true, after: 0) == .given)
    try led.world.perform(SetGatewayGrace(seconds: 0))
    let asked = led.world.state.position
    #expect(!led.holds(asked, after: Self.lease + 899))
    #expect(led.holds(asked, after: widened(Self.lease + 900) + 0.1))
    // One that has heard of the shorter one is over sooner.
    var heard = try Led(graceSeconds: 900)
    try heard.start("a")
    try heard.world.perform(SetGatewayGrace(seconds: 0))
    #expect(heard.give(enforcing: heard.world.state.position, withPolicy: true, after: 0) == .given)
    try heard.takeOver()
    #expect(heard.give(enforcing: 4, after: 1) == .given)
    #expect(heard.holds(9, after: 1 + widened(Self.lease + Self.touch) + 0.1))
  }

  @Test func `who serves nothing any more gets no lease without the policy`() throws {
    var led = try Led()
    try led.start("a")
    #expect(led.give(enforcing: 3, after: 0) == .policyNeeded, "a new process")
    #expect(led.give(enforcing: 3, withPolicy: true, after: 0) == .given)
    let over = widened(Self.lease) + 1
    #expect(led.give(enforcing: 3, after: Self.lease) == .given, "unbroken")
    #expect(led.give(enforcing: 3, after: Self.lease + over) == .policyNeeded)
  }

  @Test func `no lease is given from a state before what was said to be enforced`() throws {
    var led = try Led()
    let stale = led.head
    try led.takeOver()
    try led.start("a")
    let old = led.head
    try led.world.perform(PlaceMark(name: "revoked"))
    let revoked = led.world.state.position
    #expect(led.holds(revoked, after: 0), "it was given nothing yet")
    #expect(led.give(withPolicy: true, after: 0, from: old) == .stale)
    #expect(led.give(withPolicy: true, after: 0, from: stale) == .stale, "before it led")
    #expect(led.give(withPolicy: true, after: 0) == .given)
  }

  @Test func `what is over is so as of when it led for certain`() throws {
    var led = try Led()
    try led.start("a")
    #expect(led.give(withPolicy: true, after: 0) == .given)
    let over = widened(Self.lease) + 1
    let items = led.standing(of: 9, after: over, touched: over - 2)
    #expect(!items.allSatisfy { $0.holds(9) }, "another may have given a lease since")
    #expect(led.holds(9, after: over))
  }

  @Test func `events that change no content are enforced by the policy there is`() throws {
    var led = try Led()
    try led.start("a")
    #expect(led.give(enforcing: 3, withPolicy: true, after: 0) == .given)
    try led.world.perform(PlaceMark(name: "m"))
    #expect(!led.holds(4, after: 0))
    led.book.note(policy: 3, through: 4, epoch: led.epoch, at: led.at(0))
    #expect(led.holds(4, after: 0))
    led.book.note(policy: 6, through: 6, epoch: led.epoch, at: led.at(0))
    #expect(!led.holds(6, after: 0))
  }

  @Test func `processes that the log cannot name count from the takeover on`() throws {
    let led = try Led(formatLevel: 2)
    #expect(led.give(enforcing: 1, withPolicy: true, after: 0) == .given)
    let items = led.standing(of: 1, after: 1)
    #expect(items.map(\.isUnknown) == [nil, true])
    #expect(!led.holds(1, after: 1))
    #expect(led.give(enforcing: 1, after: 50) == .given)
    #expect(led.holds(1, after: widened(Self.touch + Self.lease) + 0.1))
  }

  @Test func `after a restore what the lost end of the log named counts`() throws {
    var led = try Led()
    try led.world.happen(
      EraBegan(database: DatabaseIdentity(systemIdentifier: "1", timeline: 1)))
    #expect(led.standing(of: 2, after: 0).isEmpty, "the first era of a log")
    try led.world.happen(
      EraBegan(database: DatabaseIdentity(systemIdentifier: "2", timeline: 1)))
    try led.takeOver()
    #expect(led.standing(of: 2, after: 1).map(\.isUnknown) == [true])
    #expect(led.holds(2, after: 1 + widened(Self.touch + Self.lease + 900) + 0.1))
  }

  @Test func `the planner hears what all enforce, and who is silent for good`() throws {
    var led = try Led()
    func signals(_ seconds: Double) -> (enforced: Position?, silent: [Position]) {
      let all = led.book.signals(in: led.world.state, epoch: led.epoch, at: led.at(seconds))
      return (all.enforced, all.silent)
    }
    #expect(signals(0).enforced == nil)
    try led.start("a")
    try led.start("b")
    #expect(led.give("a", enforcing: 4, withPolicy: true, after: 0) == .given)
    #expect(led.give("b", withPolicy: true, after: 30) == .given)
    #expect(signals(30).enforced == .empty)
    #expect(led.give("b", enforcing: 3, after: 31) == .given)
    #expect(signals(31).enforced == 3)
    let over = widened(Self.lease) + 0.1
    #expect(signals(over).enforced == 3)
    #expect(
      signals(over).silent == [led.world.state.process(of: led.gateway, incarnation: "a")?.id])
  }

  @Test func `what a gateway still answers without a route is its last word on the latest policy`()
    throws
  {
    var led = try Led()
    try led.start("a")
    try led.start("b")
    let (one, two) = (
      AttemptID(replica: ReplicaID(deployment: 3, number: 1), placedAt: 9),
      AttemptID(replica: ReplicaID(deployment: 3, number: 2), placedAt: 9)
    )
    func serving(_ seconds: Double) -> Set<AttemptID> {
      led.book.signals(in: led.world.state, epoch: led.epoch, at: led.at(seconds)).serving
    }
    #expect(led.give("a", enforcing: 4, serving: [one], withPolicy: true, after: 0) == .given)
    #expect(led.give("b", enforcing: 4, serving: [two], withPolicy: true, after: 0) == .given)
    #expect(serving(1) == [one, two])
    // Sent before the policy that took a route away, and come late.
    #expect(led.give("a", enforcing: 3, serving: [], after: 1) == .given)
    // A long poll says nothing of it.
    #expect(led.give("a", enforcing: 4, serving: nil, after: 1) == .given)
    #expect(serving(2) == [one, two])
    #expect(led.give("a", enforcing: 4, serving: [], after: 2) == .given)
    #expect(serving(3) == [two])
    // Who may serve no more waits for no answer.
    #expect(led.give("a", enforcing: 4, after: 30) == .given)
    #expect(serving(widened(Self.lease) + 0.1) == [])
  }

  @Test func `who was heard by its long poll alone has left nothing for certain`() throws {
    var led = try Led()
    try led.start("a")
    try led.takeOver()
    func enforced(_ seconds: Double) -> Position? {
      led.book.signals(in: led.world.state, epoch: led.epoch, at: led.at(seconds)).enforced
    }
    #expect(led.give("a", enforcing: 4, serving: nil, withPolicy: true, after: 0) == .given)
    #expect(enforced(1) == .empty)
    #expect(led.give("a", enforcing: 4, serving: [], after: 2) == .given)
    #expect(enforced(2) == 4)
  }
}
