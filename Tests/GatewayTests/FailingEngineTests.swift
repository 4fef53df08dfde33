// The gateway in front of engines that refuse, have no room, break off or say nothing: what the
// client is told, and that no request runs twice.

import AsyncHTTPClient
import Glibc
import HTTPTypes
import Hosting
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import TestTools
import Testing
import Time
import Wire

@testable import Gateway

extension WithProcesses {
  @Suite struct FailingEngineTests {
    func policy(_ engines: Engine...) -> PolicyNews {
      var policy = Sample.policy()
      policy.served = engines.enumerated().map { $1.route($0 + 1) }
      return policy
    }

    @Test(arguments: [400, 404, 413, 422, 500, 501])
    func `what an engine refuses is passed on with status and words, and asked nowhere else`(
      _ status: Int
    ) async throws {
      let refusing = try await Engine(
        "--refuse-status", "\(status)", "--refuse-message", "say it otherwise")
      let other = try await Engine(
        "--refuse-status", "\(status)", "--refuse-message", "say it otherwise")
      try await withGateway(policy(refusing, other)) { gateway, _ in
        let reply = try await gateway.chat()
        #expect(reply.status == status)
        #expect(reply.message == "say it otherwise")
        #expect(reply.code == "refused_by_flag")
        let asked =
          try await refusing.metric("wharf_engine_sim:requests_refused_total")
          + other.metric("wharf_engine_sim:requests_refused_total")
        #expect(asked == 1)
      }
    }

    @Test(arguments: [429, 503])
    func `an engine without room is passed over once, and what the second says is passed on`(
      _ status: Int
    ) async throws {
      let full = [
        try await Engine("--refuse-status", "\(status)", "--refuse-message", "full"),
        try await Engine("--refuse-status", "\(status)", "--refuse-message", "full"),
        try await Engine("--refuse-status", "\(status)", "--refuse-message", "full"),
      ]
      try await withGateway(policy(full[0], full[1], full[2])) { gateway, control in
        let reply = try await gateway.chat()
        #expect(reply.status == status)
        #expect(reply.message == "full")
        #expect(reply.headers["retry-after"] == ["1"])
        var asked = 0.0
        for engine in full {
          asked += try await engine.metric("wharf_engine_sim:requests_refused_total")
        }
        #expect(asked == 2)
        let sound = try await Engine()
        control.policy = control.policy.next {
          $0.served = [full[0].route(1), sound.route(4)]
        }
        try await eventually("the policy is enforced") { control.enforced.contains(41) }
        for _ in 0..<4 { #expect(try await gateway.chat().status == 200) }
      }
    }

    @Test(arguments: [401, 403])
    func `an engine that refuses its own key is our fault, and another is asked`(_ status: Int)
      async throws
    {
      let wrong = try await Engine("--refuse-status", "\(status)", "--refuse-message", "who?")
      try await withGateway(policy(wrong)) { gateway, control in
        let reply = try await gateway.chat()
        #expect(reply.status == 502)
        #expect(reply.code == "engine_refused_key")
        #expect(!reply.body.contains("who?"))
        let sound = try await Engine()
        control.policy = control.policy.next { $0.served.append(sound.route(2)) }
        try await eventually("the policy is enforced") { control.enforced.contains(41) }
        for _ in 0..<4 { #expect(try await gateway.chat().status == 200) }
      }
    }

    @Test func `an engine that dies with a request had begun it: no other is asked`() async throws {
      let doomed = try await Engine("--crash-after-requests", "0")
      let sound = try await Engine()
      try await withGateway(policy(doomed, sound)) { gateway, _ in
        // Of two that were never asked it is the first one's turn.
        let reply = try await gateway.chat()
        #expect(reply.status == 502)
        #expect(reply.code == "engine_failed")
        #expect(try await doomed.program.ended() == -SIGABRT)
        // Now nobody listens at the first: nothing can have been begun there.
        for _ in 0..<4 {
          let reply = try await gateway.chat()
          #expect(reply.status == 200)
          #expect(reply.headers["wharf-attempt"] == ["31.2.40"])
        }
      }
    }

    @Test func `where no engine can be reached the client learns that nothing was begun`()
      async throws
    {
      try await withGateway(Sample.policy(port: 1)) { gateway, _ in
        let reply = try await gateway.chat()
        #expect(reply.status == 502)
        #expect(reply.code == "engine_not_reached")
      }
    }

    @Test func `a healthy engine whose answers never come is left out after a few`() async throws {
      let mute = try await Engine("--mute-after-requests", "0")
      let sound = try await Engine()
      // Only the mute one is given up so soon.
      var silent = mute.route(1)
      silent.waits = Launch.Waits(firstByteSeconds: 1, idleSeconds: 60, wholeSeconds: 60)
      var policy = Sample.policy()
      policy.served = [silent, sound.route(2)]
      var limits = GatewayLimits()
      limits.routeRestSeconds = 0
      try await withGateway(policy, limits: limits) { [limits] gateway, _ in
        var lost = 0
        for _ in 0..<20 where try await gateway.chat().status != 200 { lost += 1 }
        #expect(lost == limits.routeFruitlessTries)
      }
    }

    @Test func `how long an engine may take is its template's to say`() async throws {
      let mute = try await Engine("--mute-after-requests", "0")
      let slow = try await Engine("--tokens-per-second", "5")
      var (first, second) = (mute.route(1), slow.route(1))
      first.waits = Launch.Waits(firstByteSeconds: 1, idleSeconds: 60, wholeSeconds: 60)
      // In which its first part comes, also on a machine that is slow.
      let wholeSeconds = Int(Pace.stretch.rounded(.up))
      second.waits = Launch.Waits(
        firstByteSeconds: 60, idleSeconds: 60, wholeSeconds: wholeSeconds)
      var policy = Sample.policy()
      policy.served = [first]
      var limits = GatewayLimits()
      // What is seen of replicas is looked at here, and told to nobody before.
      limits.sightingSeconds = 600
      try await withGateway(policy, limits: limits) { [second] gateway, control in
        #expect(try await gateway.chat().code == "engine_timeout")
        control.policy = control.policy.next { $0.served = [second] }
        try await eventually("the policy is enforced") { control.enforced.contains(41) }
        var rest = ""
        for try await part in try await gateway.stream().body { rest += String(buffer: part) }
        #expect(rest.contains(#""code":"engine_timeout""#))
        #expect(rest.contains("longer than answers of this model may"))
        #expect(gateway.gate.takeSeen()[Sample.attempt(1)]?.gaveUp == 1, "only the mute one")
      }
    }

    @Test(arguments: [true, false])
    func `how long a stream may stand still is its template's to say, and not the gateway's`(
      templateIsPatient: Bool
    ) async throws {
      // Two seconds pass between its tokens.
      let slow = try await Engine("--tokens-per-second", "0.5")
      var route = slow.route()
      route.waits = Launch.Waits(
        firstByteSeconds: 60, idleSeconds: templateIsPatient ? 60 : 1, wholeSeconds: 600)
      var policy = Sample.policy()
      policy.served = [route]
      var limits = GatewayLimits()
      limits.idleSeconds = templateIsPatient ? 1 : 60
      limits.sightingSeconds = 600
      try await withGateway(policy, limits: limits) { gateway, _ in
        var text = ""
        let stream = try await gateway.stream(tokens: templateIsPatient ? 3 : 4000)
        for try await part in stream.body { text += String(buffer: part) }
        if templateIsPatient {
          #expect(text.hasSuffix("data: [DONE]\n\n"), "\(text)")
        } else {
          #expect(text.contains(#""code":"engine_timeout""#), "\(text)")
          #expect(gateway.gate.takeSeen()[Sample.attempt(1)]?.gaveUp == 1)
        }
      }
    }

    @Test func `a prompt that an engine had is charged, though its client left before an answer`()
      async throws
    {
      let mute = try await Engine("--mute-after-requests", "0")
      var policy = Sample.policy(port: mute.port)
      policy.teams[0].tokensPerMinute = 10
      try await withGateway(policy) { gateway, _ in
        let asking = Task { try await gateway.chat() }
        try await eventually("it is asked") { gateway.gate.reading.inFlight == 1 }
        asking.cancel()
        try await eventually("it is left") { gateway.gate.reading.inFlight == 0 }
        let refused = try await gateway.chat()
        #expect(refused.status == 429)
        #expect(refused.message?.contains("at this gateway") == true)
      }
    }

    @Test func `each failure leaves a line with the id that the reply names, and nobody's words`()
      async throws
    {
      let broken = try await Engine("--refuse-status", "500", "--refuse-message", "SECRETWORDS")
      let lines = Lines()
      let control = ControlPlane(policy(broken))
      try await control.serving { controlPort in
        let server = try GatewayServer(
          options(servers: ["http://127.0.0.1:\(controlPort)"]), logger: lines.logger)
        try await withPort { onRunning in
          try await server.run(signals: [], onRunning: onRunning)
        } body: { port in
          let gateway = GatewayUnderTest(port: port, gate: server.gate)
          try await eventually("the policy is enforced") { control.enforced.contains(40) }
          let reply = try await gateway.chat()
          let id = try #require(reply.headers["x-request-id"].first)
          let line = lines.all.first { $0.contains(id) }
          #expect(line?.contains("status=500") == true)
          #expect(line?.contains("code=engine") == true)
          #expect(!lines.all.contains { $0.contains("SECRETWORDS") || $0.contains("hello") })
        }
      }
    }

    @Test func `an id with other words than an id's is not taken over`() {
      #expect(Headers.requestID([.requestID: "mine-1"], Clocks.system.random) == "mine-1")
      for given in ["tell me a secret", "a,b", "\"x\"", String(repeating: "x", count: 65), ""] {
        #expect(Headers.requestID([.requestID: given], Clocks.system.random) != given)
      }
    }
  }
}

/// Keeps what is logged.
final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }

  var logger: Logger {
    Logger(label: "test") { _ in Handler(lines: self) }
  }

  struct Handler: LogHandler {
    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let fields = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
      lines.lines.withLock { $0.append("\(event.level) \(event.message) \(fields)") }
    }
  }
}
