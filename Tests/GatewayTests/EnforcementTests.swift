// What a gateway's word is worth: a position is reported as enforced only once nothing is answered
// that its policy refuses; without a lease nothing is answered at all; dates bite without news.

import AsyncHTTPClient
import Glibc
import Hosting
import NIOCore
import NIOHTTP1
import Synchronization
import TestTools
import Testing
import Time
import Wire

@testable import Gateway

extension WithProcesses {
  @Suite struct EnforcementTests {
    /// Reads a stream to its end.
    func rest(_ parts: inout HTTPClientResponse.Body.AsyncIterator) async throws -> String {
      var text = ""
      while let part = try await parts.next() { text += String(buffer: part) }
      return text
    }

    @Test func `a revocation cuts a stream under way, and is reported afterwards`() async throws {
      let engine = try await Engine("--tokens-per-second", "5")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, control in
        let inFlight = Mutex<Int?>(nil)
        control.whenEnforced { _ in
          inFlight.withLock { $0 = gateway.gate.reading.inFlight }
        }
        var parts = try await gateway.stream().body.makeAsyncIterator()
        _ = try await parts.next()
        control.policy = control.policy.revoking()
        let rest = try await rest(&parts)
        #expect(rest.contains(#""code":"grantRevoked""#))
        #expect(!rest.contains("[DONE]"))
        try await eventually("it is reported") { control.enforced.last == 41 }
        #expect(inFlight.withLock { $0 } == 0, "nothing was answered when the report came")
        let refused = try await gateway.chat()
        #expect(refused.status == 403)
        #expect(refused.code == "grantRevoked")
        #expect(refused.headers["wharf-position"] == ["41"])
        try await eventually("the engine was left") { try await engine.running == 0 }
      }
    }

    @Test func `a revocation answers a request that waits for its engine`() async throws {
      let engine = try await Engine("--time-to-first-token", "1h")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, control in
        async let waiting = gateway.chat()
        try await eventually("the engine is asked") { try await engine.running == 1 }
        control.policy = control.policy.revoking()
        let reply = try await waiting
        #expect(reply.status == 403)
        #expect(reply.code == "grantRevoked")
      }
    }

    @Test func `a client that does not read cannot hold up a revocation`() async throws {
      let engine = try await Engine("--context-length", "1000000")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, control in
        let response = try await gateway.stream(tokens: 500_000)
        var parts = response.body.makeAsyncIterator()
        _ = try await parts.next()
        control.policy = control.policy.revoking()
        try await eventually("it is reported") { control.enforced.last == 41 }
        #expect(gateway.gate.reading.inFlight == 0)
        // What was on its way may still be read; then the connection ends.
        await #expect(throws: (any Error).self) {
          while try await parts.next() != nil {}
          throw Late(description: "the stream was cut")
        }
      }
    }

    @Test func `under load no answer begins or goes on after the report`() async throws {
      let engine = try await Engine("--tokens-per-second", "200")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, control in
        let tally = Tally()
        control.whenEnforced { _ in tally.report(inFlight: gateway.gate.reading.inFlight) }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<16 {
            group.addTask {
              // Until it is refused.
              while true {
                let wasReported = tally.isReported
                let reply = try await gateway.chat()
                if wasReported, reply.status == 200 { tally.countLate() }
                if reply.status == 403 { return }
              }
            }
          }
          try await eventually("requests are in flight") { gateway.gate.reading.inFlight >= 8 }
          control.policy = control.policy.revoking()
          try await group.waitForAll()
        }
        #expect(tally.late == 0)
      }
    }

    /// What was answered although it had been reported that it would not be.
    private final class Tally: Sendable {
      private let state = Mutex((isReported: false, late: 0))
      var isReported: Bool { state.withLock { $0.isReported } }
      var late: Int { state.withLock { $0.late } }
      func countLate() { state.withLock { $0.late += 1 } }
      func report(inFlight: Int) { state.withLock { $0 = (true, $0.late + inFlight) } }
    }

    // MARK: Lease

    @Test func `when the lease ends all is refused, and what runs is cut`() async throws {
      let engine = try await Engine("--tokens-per-second", "5")
      var policy = Sample.policy(port: engine.port)
      policy.leaseSeconds = 3
      try await withGateway(policy) { gateway, control in
        // One that came between two leases is refused, and asked for again.
        let response = try await eventually("a stream begins") {
          let response = try await gateway.stream()
          return response.status == .ok ? response : nil
        }
        var parts = response.body.makeAsyncIterator()
        control.isSilent = true
        let rest = try await rest(&parts)
        #expect(rest.contains(#""code":"no_policy_lease""#))
        try await eventually("health tells") {
          try await gateway.send(.GET, "/health", key: nil).status == 503
        }
        let refused = try await gateway.chat()
        #expect(refused.status == 503)
        #expect(refused.code == "no_policy_lease")
        #expect(refused.headers["retry-after"] == ["2"])
        control.isSilent = false
        try await eventually("it serves again") { try await gateway.chat().status == 200 }
      }
    }

    @Test func `a lease shorter than the long poll is renewed in time`() async throws {
      let engine = try await Engine()
      var policy = Sample.policy(port: engine.port)
      let seconds = Int((3 * Pace.stretch).rounded(.up))
      policy.leaseSeconds = seconds
      try await withGateway(policy) { gateway, control in
        // Longer than one lease; what is late is the machine, what ended is the lease.
        let start = ContinuousClock.now
        while ContinuousClock.now - start < .seconds(seconds * 2) {
          #expect(gateway.gate.reading.leaseLeft > .zero)
          try await Task.sleep(for: .milliseconds(20))
        }
        // Half a lease is the time of a long poll: none is asked for sooner.
        let spent = (ContinuousClock.now - start) / .seconds(1)
        #expect(Double(control.pulls) < 5 + spent)
      }
    }

    @Test func `a poll that hangs costs nothing of the lease`() async throws {
      let engine = try await Engine()
      var policy = Sample.policy(port: engine.port)
      policy.leaseSeconds = 6
      try await withGateway(policy) { gateway, control in
        control.pollsHang = true
        let (start, leases) = (ContinuousClock.now, control.leases)
        try await eventually("the poll hangs for longer than a lease", withinSeconds: 30) {
          ContinuousClock.now - start > .seconds(8)
        }
        #expect(control.leases > leases + 1 && gateway.gate.reading.leaseLeft > .zero)
        #expect(control.incarnations.count == 1)
        control.pollsHang = false
      }
    }

    @Test func `in grace it serves on, and says so in each answer and once in its health`()
      async throws
    {
      let engine = try await Engine()
      var policy = Sample.policy(port: engine.port)
      policy.leaseSeconds = 60
      policy.graceSeconds = 600
      let clock = TestClock()
      try await withGateway(policy, origins: ["*"], clocks: clock.clocks) { gateway, control in
        #expect(try await gateway.chat().headers["x-wharf-grace-seconds"] == [])
        control.isSilent = true
        clock.move(by: .milliseconds(59_999))
        #expect(try await gateway.chat().headers["x-wharf-grace-seconds"] == [])
        clock.move(by: .milliseconds(1))
        #expect(gateway.gate.reading.isInGrace)
        let served = try await gateway.chat()
        #expect(served.status == 200)
        #expect(served.headers["x-wharf-grace-seconds"] == ["600"])
        var page = gateway.request(.GET, "/v1/models")
        page.headers.add(name: "origin", value: "https://app.example.com")
        let read = try await HTTPClient.shared.execute(page, timeout: .seconds(120)).headers
        let exposed = read["access-control-expose-headers"].joined()
        for field in read where field.name.contains("wharf") || field.name == "x-request-id" {
          #expect(exposed.contains(field.name), "\(field.name) is not among \(exposed)")
        }
        #expect(read["x-wharf-grace-seconds"].count == 1)
        #expect(try await gateway.send(.GET, "/health", key: nil).body.contains("inGrace"))
        // Nobody is let in whom the next sweep would cut.
        let sweep = Duration.milliseconds(GatewayLimits().sweepMilliseconds)
        clock.move(by: .seconds(600) - sweep - .milliseconds(1))
        #expect(try await gateway.chat().status == 200)
        clock.move(by: .milliseconds(1))
        #expect(try await gateway.chat().status == 503)
        #expect(!gateway.gate.mayServe)
        // A lease alone brings nothing back: the policy it has may be of the past.
        let pulls = control.pulls
        control.isSilent = false
        try await clock.moving {
          try await eventually("it serves again") { try await gateway.chat().status == 200 }
        }
        #expect(control.pulls > pulls)
      }
    }

    // MARK: Dates

    @Test func `a grant runs out by the gateway's clock though nothing is heard`() async throws {
      let engine = try await Engine("--tokens-per-second", "5")
      var policy = Sample.policy(port: engine.port)
      let clock = TestClock()
      policy.leaseSeconds = 86_400
      policy.grants[0].until = clock.date.adding(seconds: 3_600)
      try await withGateway(policy, clocks: clock.clocks) { gateway, control in
        control.isSilent = true
        clock.move(by: .seconds(3_599))
        var parts = try await gateway.stream().body.makeAsyncIterator()
        _ = try await parts.next()
        let told = try await clock.moving { try await rest(&parts) }
        #expect(told.contains(#""code":"grantExpired""#))
        let refused = try await gateway.chat()
        #expect(refused.status == 403)
        #expect(refused.code == "grantExpired")
      }
    }

    @Test func `a key runs out by the gateway's clock though nothing is heard`() async throws {
      let engine = try await Engine("--tokens-per-second", "5")
      var policy = Sample.policy(port: engine.port)
      let clock = TestClock()
      policy.leaseSeconds = 86_400
      policy.keys[0].secrets[0].until = clock.date.adding(seconds: 3_600)
      try await withGateway(policy, clocks: clock.clocks) { gateway, control in
        control.isSilent = true
        clock.move(by: .seconds(3_599))
        var parts = try await gateway.stream().body.makeAsyncIterator()
        _ = try await parts.next()
        let told = try await clock.moving { try await rest(&parts) }
        #expect(told.contains(#""code":"api_key_expired""#))
        let refused = try await gateway.chat()
        #expect(refused.status == 401)
        #expect(refused.code == "api_key_expired")
      }
    }

    // MARK: Control planes

    @Test func `a policy of another history is not applied, and its lease not renewed`()
      async throws
    {
      let engine = try await Engine()
      // A lease that lasts for what is looked at in it, and one that is soon over.
      for leaseSeconds in [3_600, 3] {
        var policy = Sample.policy(port: engine.port)
        policy.leaseSeconds = leaseSeconds
        try await withGateway(policy) { gateway, control in
          control.policy = control.policy.next { $0.head = Sample.head(100, hash: 9) }
          try await eventually("the alarm is counted") {
            let page = try await gateway.send(.GET, "/metrics").body
            return !page.contains("wharf_gateway_alarms_total 0")
          }
          #expect(gateway.gate.reading.position == 40)
          if leaseSeconds > 3 {
            #expect(try await gateway.chat().status == 200, "it serves on by what it knows")
          } else {
            try await eventually("its lease ends") { try await gateway.chat().status == 503 }
          }
        }
      }
    }

    @Test func `who knows less than was seen renews no lease, also without news`() async throws {
      let engine = try await Engine()
      var policy = Sample.policy(port: engine.port)
      policy.leaseSeconds = 3
      try await withGateway(policy) { gateway, control in
        control.idleHead = Sample.head(1)
        try await eventually("its lease ends") { try await gateway.chat().status == 503 }
        control.idleHead = nil
        try await eventually("it serves again") { try await gateway.chat().status == 200 }
      }
    }

    @Test func `a poll that hangs is given up once another server gives the lease`() async throws {
      let engine = try await Engine()
      let policy = Sample.policy(port: engine.port)
      let (first, second) = (ControlPlane(policy), ControlPlane(policy))
      // The first question of a gateway is answered all the same.
      first.pollsHang = true
      try await first.serving { firstPort in
        try await second.serving { secondPort in
          // It would hang for longer than this test.
          var limits = GatewayLimits()
          limits.controlPlaneReplySeconds = 3_600
          let server = try GatewayServer(
            options(
              servers: [firstPort, secondPort].map { "http://127.0.0.1:\($0)" }, limits: limits),
            logger: quiet)
          try await withPort {
            try await server.run(signals: [], onRunning: $0)
          } body: { _ in
            try await eventually("it polls the first") {
              first.enforced == [40] && first.pulls == 2
            }
            first.isSilent = true
            second.policy = policy.next()
            try await eventually("it enforces what the second says") { second.enforced == [41] }
            try await eventually("it polls the second on") { second.pulls > 1 }
            #expect(first.pulls == 2 && server.gate.mayServe)
            first.pollsHang = false
          }
        }
      }
    }

    @Test func `when one server fails the next is asked`() async throws {
      let engine = try await Engine()
      let control = ControlPlane(Sample.policy(port: engine.port))
      try await control.serving { port in
        let server = try GatewayServer(
          options(servers: ["http://127.0.0.1:1", "http://127.0.0.1:\(port)"]), logger: quiet)
        try await withPort {
          try await server.run(signals: [], onRunning: $0)
        } body: { _ in
          try await eventually("the policy is enforced") { control.enforced == [40] }
        }
      }
    }
  }
}
