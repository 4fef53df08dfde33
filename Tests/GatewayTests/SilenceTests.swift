// What is told of a replica that does not answer: silence, and nothing that one client can bring about at an
// engine that is well.

import AsyncHTTPClient
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import NIOHTTP1
import TestTools
import Testing
import Wire

@testable import Gateway

@Suite struct SilenceTests {
  private static let otherKey = "key-search"

  private struct Desk {
    var state: GateState

    init() {
      var policy = Sample.policy()
      let team = Stream(.team, 6)
      policy.keys.append(Sample.teamKey(otherKey, Stream(.key, 7), of: team))
      policy.teams.append(Sample.team(team, "search"))
      policy.grants.append(Sample.grant(to: team))
      state = .holding(policy, until: 10_000)
    }

    /// Asks, waits for so long, and meets a fault; none where it was answered.
    mutating func ask(
      _ key: String = Sample.key, at seconds: Int, waiting: Double = 5, _ fault: RouteFault?
    ) throws {
      let admission = try state.admit(
        keyDigest: Sample.digest(key), model: "xai/grok-3", wish: Sample.wish,
        now: Moment(date: Sample.now, uptime: .seconds(seconds))
      ).get()
      let later = Duration.seconds(seconds) + .milliseconds(Int64(waiting * 1_000))
      if let fault {
        state.note(admission.id, fault, now: Moment(date: Sample.now, uptime: later))
      } else {
        state.answered(admission.id)
      }
      state.finish(admission.id, tokens: 0)
    }

    mutating func told(at seconds: Int) -> RouteBook.Seen? {
      state.takeSeen(now: .seconds(seconds))[Sample.attempt(1)]
    }
  }

  @Test(arguments: [RouteFault.slow, .notReached])
  func `silence is told, also where it is one team's that meets it`(_ fault: RouteFault) throws {
    var desk = Desk()
    for second in 0..<5 { try desk.ask(at: second, fault) }
    #expect(desk.told(at: 9) == .init(asked: 5, answered: 0, gaveUp: 5))
  }

  @Test(arguments: [
    RouteFault.brokeOff, .refusedKey, .strange(.status(302)), .strange(.headerTooLong),
    .strange(.notHTTP), .full(seconds: nil),
  ])
  func `an engine that hangs up or answers wrongly lives, and is not said to be silent`(
    _ fault: RouteFault
  ) throws {
    var desk = Desk()
    for second in 0..<9 {
      try desk.ask(second % 2 == 0 ? Sample.key : Self.otherKey, at: second, fault)
    }
    #expect(desk.told(at: 9) == nil)
    // Nor is it said to answer, where it is silent to others.
    try desk.ask(at: 10, fault)
    for second in 11..<16 { try desk.ask(at: second, .slow) }
    let told = desk.told(at: 20)
    let seen = try #require(told)
    #expect(seen.asked == 6 && seen.gaveUp == 5)
    #expect(seen.answered == (fault == .full(seconds: nil) ? 1 : 0))
  }

  @Test func `clients that leave tell of silence once they are of two teams and waited`() throws {
    var desk = Desk()
    for second in 0..<9 { try desk.ask(at: second, .clientLeft) }
    #expect(desk.told(at: 10) == nil, "one team may be in a hurry")
    try desk.ask(Self.otherKey, at: 11, waiting: 4.9, .clientLeft)
    #expect(desk.told(at: 16) == nil, "who leaves at once has learned nothing")
    try desk.ask(Self.otherKey, at: 17, .clientLeft)
    #expect(desk.told(at: 22) == .init(asked: 10, answered: 0, gaveUp: 10))
    try desk.ask(at: 23, .clientLeft)
    #expect(desk.told(at: 29) == .init(asked: 1, answered: 0, gaveUp: 1))
  }

  @Test func `an answer, or a minute, makes what one team left old news`() throws {
    var desk = Desk()
    try desk.ask(at: 0, .clientLeft)
    try desk.ask(at: 6, nil)
    try desk.ask(Self.otherKey, at: 7, .clientLeft)
    #expect(desk.told(at: 13) == nil)
    try desk.ask(at: 80, .clientLeft)
    #expect(desk.told(at: 86) == nil)
  }
}

extension WithProcesses {
  @Suite struct SilentEngineTests {
    @Test func `an engine that hangs up on requests is not said to be silent`() async throws {
      struct Death: Error {}
      let responder = CallbackResponder<BasicRequestContext> { request, _ in
        _ = try await request.body.collect(upTo: 1 << 20)
        return Response(status: .ok, body: ResponseBody { _ in throw Death() })
      }
      try await withPort { onRunning in
        try await Application(
          responder: responder, server: .plain(),
          configuration: .init(address: .hostname("127.0.0.1", port: 0)),
          onServerRunning: { await onRunning($0.localAddress!.port!) }, logger: quiet
        ).run()
      } body: { port in
        try await withGateway(Sample.policy(port: port)) { gateway, _ in
          for _ in 0..<6 {
            let reply = try await gateway.chat()
            #expect(reply.code == "engine_failed")
          }
          #expect(gateway.gate.takeSeen() == [:])
        }
      }
    }

    @Test func `a client that reads nothing is left, and tells nothing of the engine`() async throws
    {
      let engine = FloodingEngine()
      try await engine.serving { port in
        var limits = GatewayLimits()
        limits.idleSeconds = 1
        try await withGateway(Sample.policy(port: port), limits: limits) { gateway, _ in
          // That it was in flight is seen by how it is counted: by now it may be over.
          let response = try await gateway.stream()
          #expect(response.status == .ok)
          let early = gateway.gate.takeSeen()
          try await eventually("it is left") { gateway.gate.reading.inFlight == 0 }
          #expect(early.values.allSatisfy { $0.gaveUp == 0 }, "\(early)")
          #expect(gateway.gate.takeSeen() == [:])
          let page = try await gateway.send(.GET, "/metrics").body
          #expect(page.contains(#"wharf_gateway_requests_total{code="499"} 1"#), "\(page)")
          withExtendedLifetime(response) {}
        }
      }
    }
  }
}
