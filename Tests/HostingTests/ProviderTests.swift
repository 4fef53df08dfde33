// Providers, engines, gateways and the log: what is decided about them.

import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

@Suite struct ProviderTests {
  @Test func `a provider is registered under a free name`() {
    given().when(RegisterProvider(name: "xai", title: "xAI"))
      .then(ProviderRegistered(name: "xai", title: "xAI"))
      .when(RegisterProvider(name: "XAI")).thenRefused("nameTaken", saying: "wharf provider show")
  }

  @Test func `without a title a provider is called by its name`() {
    given().when(RegisterProvider(name: "xai")).then(ProviderRegistered(name: "xai", title: "xai"))
  }

  @Test func `suspending and reinstating are each done once`() {
    let suspended = Given.provider.when(SuspendProvider(provider: "xai")).then(ProviderSuspended())
    suspended.when(SuspendProvider(provider: "xai")).thenNothing()
    let back = suspended.when(ReinstateProvider(provider: "xai")).then(ProviderReinstated())
    back.when(ReinstateProvider(provider: "xai")).thenNothing()
    given().when(SuspendProvider(provider: "x")).thenRefused("unknownProvider")
    given().when(ReinstateProvider(provider: "x")).thenRefused("unknownProvider")
  }

  @Test func `a viewer changes nothing`() {
    given().when(RegisterProvider(name: "xai"), by: Principal(actor: .wharfd, role: .viewer))
      .thenRefused("notAllowed", saying: "viewer")
  }

  @Test func `what changed since a stated position is refused`() {
    let world = Given.provider.world
    #expect(throws: Refusal.self) {
      try world.state.decide(
        SuspendProvider(provider: "xai"), by: .testAdmin, now: world.now, unchangedSince: 0)
    }
  }
}

@Suite struct EngineTests {
  @Test func `an engine is defined, defined anew where it differs, and not twice`() {
    let event = EngineDefined(name: "sim", launch: .test(), tasks: [.chat])
    let defined = given().when(DefineEngine(launch: .test(), tasks: [.chat])).then(event)
    defined.when(DefineEngine(launch: .test(), tasks: [.chat])).thenNothing()
    defined.when(DefineEngine(launch: .test(), tasks: [.embedding]))
      .then(EngineDefined(name: "sim", launch: .test(), tasks: [.embedding]))
  }

  @Test func `an engine without a command is refused`() {
    var launch = Launch.test()
    launch.command = []
    given().when(DefineEngine(launch: launch, tasks: [.chat])).thenRefused("emptyCommand")
  }

  @Test func `a template holds no secret, for events show it to every viewer for ever`() {
    func define(_ name: String, _ value: String) -> DefineEngine {
      var launch = Launch.test()
      launch.environment = [name: value]
      return DefineEngine(launch: launch, tasks: [.chat])
    }
    for name in ["HF_TOKEN", "hf_token", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "DB_PASSWORD"] {
      given().when(define(name, "s3cret")).thenRefused("secretInTemplate", saying: name)
    }
    for (name, value) in [
      ("VLLM_API_KEY", "${engineKey}"), ("HF_TOKEN", ""), ("MAX_TOKENS", "4096"),
      ("TOKENIZERS_PARALLELISM", "false"), ("SORT_KEY", "age"),
    ] {
      let fine = define(name, value)
      given().when(fine).then(EngineDefined(name: "sim", launch: fine.launch, tasks: [.chat]))
    }
  }

  @Test func `an engine whose waits nobody can mean is refused`() {
    func define(_ change: (inout Launch) -> Void) -> DefineEngine {
      var launch = Launch.test()
      change(&launch)
      return DefineEngine(launch: launch, tasks: [.chat])
    }
    for period in [Int.min, 0, 3_600_001, .max] {
      given().when(define { $0.readiness.periodMilliseconds = period })
        .thenRefused("periodOutOfRange", saying: "\(period)")
    }
    for deadline in [Int.min, 0, 604_801, 9_999_999_999, .max] {
      given().when(define { $0.readiness.deadlineSeconds = deadline })
        .thenRefused("deadlineOutOfRange", saying: "\(deadline)")
    }
    for grace in [Int.min, -1, 3_601, .max] {
      given().when(define { $0.stopGraceSeconds = grace })
        .thenRefused("graceOutOfRange", saying: "\(grace)")
    }
    for (period, deadline, grace) in [(1, 1, 0), (3_600_000, 604_800, 3_600)] {
      let longest = define {
        $0.readiness.periodMilliseconds = period
        $0.readiness.deadlineSeconds = deadline
        $0.stopGraceSeconds = grace
      }
      given().when(longest)
        .then(EngineDefined(name: "sim", launch: longest.launch, tasks: [.chat]))
    }
  }
}

@Suite struct EngineWaitTests {
  private static func define(_ change: (inout Launch) -> Void = { _ in }) -> DefineEngine {
    var launch = GoldenTests.waitingLaunch
    change(&launch)
    return DefineEngine(launch: launch, tasks: [.chat])
  }

  @Test func `a log that older programs read holds no liveness and no waits`() {
    var plain = GoldenTests.waitingLaunch
    (plain.liveness, plain.waits) = (nil, nil)
    let old = Given(World(formatLevel: FormatLevel.kept - 1)).when(Self.define())
      .then(EngineDefined(name: "vllm", launch: plain, tasks: [.chat]))
    old.when(Self.define()).thenNothing()
    given().when(Self.define())
      .then(EngineDefined(name: "vllm", launch: GoldenTests.waitingLaunch, tasks: [.chat]))
  }

  @Test(arguments: [
    ("periodOutOfRange", define { $0.liveness?.periodSeconds = 0 }),
    ("failuresOutOfRange", define { $0.liveness?.failures = 0 }),
    ("graceOutOfRange", define { $0.liveness?.graceSeconds = -1 }),
    ("timeoutOutOfRange", define { $0.liveness?.request?.timeoutSeconds = 0 }),
    ("requestMalformed", define { $0.liveness?.request?.body = "{" }),
    ("pathMalformed", define { $0.liveness?.path = "health" }),
    ("pathMalformed", define { $0.liveness?.request?.path = "http://elsewhere/" }),
    ("pathMalformed", define { $0.readiness.path = "/a b" }),
    ("waitOutOfRange", define { $0.waits?.firstByteSeconds = 0 }),
    ("waitOutOfRange", define { $0.waits?.idleSeconds = 86_401 }),
    ("waitOutOfRange", define { $0.waits?.wholeSeconds = 119 }),
  ])
  func `what nobody can mean is refused`(code: String, command: DefineEngine) {
    given().when(command).thenRefused(code)
  }

  @Test func `an engine that does nothing, or one thing twice, is refused`() {
    for tasks in [[], [.chat, .chat]] as [[ModelTask]] {
      given().when(DefineEngine(launch: .test(), tasks: tasks)).thenRefused("tasksMissing")
    }
  }
}

@Suite struct GatewayTests {
  private let registered = given(RegisterGateway(name: "g1", credential: .numbered(1)))

  @Test func `a gateway is registered once, by its credential`() {
    given().when(RegisterGateway(name: "g1", credential: .numbered(1)))
      .then(GatewayRegistered(name: "g1", credential: .numbered(1)))
    registered.when(RegisterGateway(name: "g1", credential: .numbered(1))).thenNothing()
    registered.when(RegisterGateway(name: "g1", credential: .numbered(2))).thenRefused("nameTaken")
    registered.when(RegisterGateway(name: "g2", credential: .numbered(1))).thenRefused(
      "secretInUse")
  }

  private let gateway = Principal(actor: .of(Stream(.gateway, 1)), role: .gateway)

  private func start(_ incarnation: String, replaces: String? = nil) -> StartGatewayProcess {
    StartGatewayProcess(incarnation: incarnation, address: "10.0.0.7:7480", replaces: replaces)
  }

  @Test func `each process of a gateway is known, two with one credential as two`() {
    let first = registered.when(start("a"), by: gateway)
      .then(GatewayStarted(incarnation: "a", address: "10.0.0.7:7480"))
    first.when(start("a"), by: gateway).thenNothing()
    let second = first.when(start("b"), by: gateway)
      .then(GatewayStarted(incarnation: "b", address: "10.0.0.7:7480"))
    #expect(second.world.state.gatewayProcesses.keys.sorted() == [2, 3])
    second.when(start("c", replaces: "a"), by: gateway).then(
      GatewayStopped(process: 2, cause: .replaced),
      GatewayStarted(incarnation: "c", address: "10.0.0.7:7480"))
    second.when(start("a b"), by: gateway).thenRefused("malformedProcess")
    second.when(start("c")).thenRefused("notAllowed")
    Given(World(formatLevel: 2)).and(RegisterGateway(name: "g1", credential: .numbered(1)))
      .when(start("a"), by: gateway).thenRefused("formatLevelTooLow")
  }

  @Test func `whoever vouches for one of two processes says which, and the other goes on`() throws {
    let two = registered.and(start("a1b2"), by: gateway).and(start("a1c3"), by: gateway)
    func vouch(_ process: Text?, all: Bool? = nil) -> VouchGatewayOff {
      VouchGatewayOff(gateway: "g1", process: process, all: all)
    }
    two.when(vouch(nil)).thenRefused("severalProcesses")
    let refusal = #expect(throws: Refusal.self) {
      try two.world.state.decide(vouch(nil), by: .testOperator, now: two.world.now)
    }
    #expect(refusal?.message.contains("a1b2 at 10.0.0.7:7480, since ") == true)
    #expect(refusal?.help.contains("wharf gateway powered-off g1 --process a1b2; ") == true)
    #expect(refusal?.help.hasSuffix("wharf gateway powered-off g1 --all") == true)
    two.when(vouch("a1c3")).then(GatewayStopped(process: 3, cause: .poweredOff))
    two.when(vouch("a1b")).then(GatewayStopped(process: 2, cause: .poweredOff))
    two.when(vouch("a1")).thenRefused("unknownProcess")
    two.when(vouch("zz")).thenRefused("unknownProcess")
    two.when(vouch("a1b2", all: true)).thenRefused("contradiction")
    registered.and(start("a"), by: gateway).when(vouch(nil)).then(
      GatewayStopped(process: 2, cause: .poweredOff))
    // The words of the advice are those that just this one is vouched for with.
    let process = try #require(two.world.state.gatewayProcesses[2])
    #expect(process.commandThatItIsOff == "wharf gateway powered-off g1 --process a1b2")
  }

  @Test func `a process counts until it is certain that it serves no more`() {
    let two = registered.and(start("a"), by: gateway).and(start("b"), by: gateway)
    two.when(StopGatewayProcess(process: 2), by: gateway)
      .then(GatewayStopped(process: 2, cause: .left))
    let other = Principal(actor: .of(Stream(.gateway, 9)), role: .gateway)
    two.when(StopGatewayProcess(process: 2), by: other).thenNothing()
    two.when(NoteSilentGateways(processes: [3, 9]), by: .wharfd)
      .then(GatewayStopped(process: 3, cause: .silent))
    let removed = two.when(RemoveGateway(gateway: "g1")).then(GatewayRemoved())
    #expect(removed.world.state.gatewayProcesses.values.allSatisfy { $0.removedAt != nil })
    #expect(removed.world.state.gatewayProcesses.count == 2, "they may serve on")
    removed.when(VouchGatewayOff(gateway: "G1", all: true)).then(
      GatewayStopped(process: 2, cause: .poweredOff),
      GatewayStopped(process: 3, cause: .poweredOff))
    two.when(RemoveGateway(gateway: "g1", poweredOff: true)).then(
      GatewayStopped(process: 2, cause: .poweredOff),
      GatewayStopped(process: 3, cause: .poweredOff), GatewayRemoved())
    registered.when(VouchGatewayOff(gateway: "g1")).thenNothing()
    registered.when(VouchGatewayOff(gateway: "g9")).thenRefused("unknownGateway")
  }

  @Test func `the grace is a fact, and what was in force before counts for who has not heard`() {
    let set = { (seconds: Int) in SetGatewayGrace(seconds: seconds) }
    #expect(given().world.state.graceSeconds == 900)
    let short = registered.when(set(60)).then(GatewayGraceSet(seconds: 60))
    short.when(set(60)).thenNothing()
    let none = short.when(set(0)).then(GatewayGraceSet(seconds: 0))
    let state = none.world.state
    #expect(state.graceSeconds == 0)
    #expect(state.longestGraceSeconds(since: 1) == 900)
    #expect(state.longestGraceSeconds(since: 2) == 60)
    #expect(state.longestGraceSeconds(since: 3) == 0)
    registered.when(set(-1)).thenRefused("graceOutOfRange")
    registered.when(set(86_401)).thenRefused("graceOutOfRange")
    registered.when(set(900)).thenNothing()
    #expect(
      Given(World(formatLevel: 2)).world.state.graceSeconds == 0,
      "an older leader would not count it")
    Given(World(formatLevel: 2)).when(set(60)).thenRefused("formatLevelTooLow")
  }

  @Test func `the credential of a removed gateway is good no more`() {
    let removed = registered.when(RemoveGateway(gateway: "g1")).then(GatewayRemoved())
    #expect(removed.world.state.principal(presenting: .numbered(1), now: World.start) == nil)
    removed.when(RemoveGateway(gateway: "g1")).thenRefused("unknownGateway")
  }
}

@Suite struct LogTests {
  private let take = TakeLeadership(
    instance: "w1", address: "127.0.0.1:7400",
    database: DatabaseIdentity(systemIdentifier: "7", timeline: 1))

  @Test func `an era begins with the first leader only`() {
    Given(.ofBefore).when(take, by: .wharfd)
      .then(
        EraBegan(database: DatabaseIdentity(systemIdentifier: "7", timeline: 1)),
        FormatLevelRaised(level: FormatLevel.current),
        LeadershipTaken(instance: "w1", address: "127.0.0.1:7400"))
    Given(.ofBefore).and(take, by: .wharfd).when(take, by: .wharfd)
      .then(LeadershipTaken(instance: "w1", address: "127.0.0.1:7400"))
    given().when(take).thenRefused("notAllowed")
  }

  @Test func `a log tells whose secret it belongs to, and is led with no other`() {
    func lead(_ secret: Int) -> TakeLeadership {
      TakeLeadership(
        instance: "w1", address: "127.0.0.1:7400", database: take.database,
        secretFingerprint: .numbered(secret))
    }
    let led = LeadershipTaken(instance: "w1", address: "127.0.0.1:7400")
    let begun = Given(.ofBefore).when(lead(1), by: .wharfd).then(
      EraBegan(database: take.database), FormatLevelRaised(level: FormatLevel.current),
      ClusterSecretRecorded(fingerprint: .numbered(1)), led)
    begun.when(lead(1), by: .wharfd).then(led)
    begun.when(lead(2), by: .wharfd).thenRefused("otherSecret")
    // Lost for good: on a person's word another one takes its place.
    begun.and(RecordClusterSecret(fingerprint: .numbered(2)), by: .wharfd)
      .when(lead(2), by: .wharfd).then(led)
    begun.and(BeginEra(database: take.database, secretFingerprint: .numbered(2)), by: .wharfd)
      .when(lead(1), by: .wharfd).thenRefused("otherSecret")
    begun.when(RecordClusterSecret(fingerprint: .numbered(2))).thenRefused("notAllowed")
  }

  @Test func `an older log says nothing of secrets before it is finalized`() {
    let old = Given(.ofBefore).happened(EraBegan(database: take.database), on: .log)
    let lead = TakeLeadership(
      instance: "w1", address: "127.0.0.1:7400", database: take.database,
      secretFingerprint: .numbered(1))
    let led = LeadershipTaken(instance: "w1", address: "127.0.0.1:7400")
    old.when(lead, by: .wharfd).then(led)
    old.when(RecordClusterSecret(fingerprint: .numbered(1)), by: .wharfd)
      .thenRefused("formatLevelTooLow")
    old.and(RaiseFormatLevel(level: 2, readers: []), by: .wharfd).when(lead, by: .wharfd)
      .then(ClusterSecretRecorded(fingerprint: .numbered(1)), led)
  }

  @Test func `a mark names the head or an earlier position, and never moves`() {
    Given.provider.when(PlaceMark(name: "before")).then(MarkPlaced(name: "before", position: 2))
      .when(PlaceMark(name: "Before")).thenRefused("nameTaken", saying: "never moves")
    Given.provider.when(PlaceMark(name: "one", position: 1)).then(
      MarkPlaced(name: "one", position: 1))
    Given.provider.when(PlaceMark(name: "far", position: 99)).thenRefused("positionAhead")
  }
}
