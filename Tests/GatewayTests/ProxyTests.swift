// The gateway in front of real engine processes: rewriting, passing on, failing over.

import AsyncHTTPClient
import Foundation
import Glibc
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

extension WithProcesses {
  @Suite struct ProxyTests {
    @Test func `a request reaches the engine under the engine's own name for the model`()
      async throws
    {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        let reply = try await gateway.chat()
        #expect(reply.status == 200, "\(reply.body)")
        #expect(reply.body.contains("engine-grok heard: hello"))
        #expect(reply.headers["wharf-position"] == ["40"])
        #expect(reply.headers["wharf-attempt"] == ["31.1.40"])
        #expect(reply.headers["content-type"].first?.hasPrefix("application/json") == true)
        let completion = try await gateway.send(
          .POST, "/v1/completions", body: #"{"model":"xai/grok-3:stable","prompt":"hello"}"#)
        #expect(completion.status == 200, "\(completion.body)")
      }
    }

    @Test func `what the engine says against a request reaches the client`() async throws {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        let reply = try await gateway.send(
          .POST, "/v1/chat/completions", body: #"{"model":"xai/grok-3","messages":[]}"#)
        #expect(reply.status == 400)
        #expect(reply.message?.contains("messages") == true)
      }
    }

    @Test func `a request's id is kept, or given`() async throws {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        var request = gateway.request(.GET, "/v1/models")
        request.headers.add(name: "x-request-id", value: "mine-1")
        let reply = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        #expect(reply.headers["x-request-id"] == ["mine-1"])
        let given = try await gateway.chat().headers["x-request-id"]
        #expect(given.count == 1 && UUID(uuidString: given[0]) != nil)
      }
    }

    @Test func `an engine is given a request's id only where it is a UUID`() {
      let id = "7f8b5cdc-6e1e-4f0c-9f2e-0d9a4b1c2d3e"
      func sent(_ id: String) -> [String] {
        Headers.request(from: HTTPFields(), engineKey: "k", requestID: id)["x-request-id"]
      }
      #expect(sent(id) == [id])
      #expect(sent("mine-1") == [])
      #expect(sent(id.replacing("-", with: "")) == [])
      #expect(sent(id.replacing("f", with: "g")) == [])
    }

    @Test func `the client's key never reaches the engine, the attempt's own key does`()
      async throws
    {
      let engine = try await Engine()
      var policy = Sample.policy(port: engine.port)
      policy.served = [engine.route(key: EngineKey(secret: "another attempt's key"))]
      try await withGateway(policy) { gateway, control in
        let refused = try await gateway.chat()
        #expect(refused.status == 502, "the engine refuses another attempt's key")
        #expect(refused.code == "engine_refused_key")
        control.policy = control.policy.next { $0.served = [engine.route()] }
        try await eventually("the policy is enforced") { control.enforced.contains(41) }
        #expect(try await gateway.chat().status == 200)
      }
    }

    // MARK: Streams

    @Test func `a stream's first part arrives while the engine still writes`() async throws {
      let engine = HeldEngine()
      try await engine.serving { port in
        try await withGateway(Sample.policy(port: port)) { gateway, _ in
          let response = try await gateway.stream()
          #expect(response.headers["content-type"].first?.hasPrefix("text/event-stream") == true)
          var parts = response.body.makeAsyncIterator()
          let first = try #require(try await parts.next())
          #expect(String(buffer: first) == "data: {\"choices\":[{}]}\n\n")
          engine.release()
          var rest = ""
          while let part = try await parts.next() { rest += String(buffer: part) }
          #expect(rest.hasSuffix("data: [DONE]\n\n"))
        }
      }
    }

    @Test func `a client that stops reading stops the engine, not the gateway's memory`()
      async throws
    {
      let engine = FloodingEngine()
      try await engine.serving { port in
        try await withGateway(Sample.policy(port: port)) { gateway, _ in
          let response = try await gateway.stream()
          var parts = response.body.makeAsyncIterator()
          _ = try await parts.next()
          // It writes till the buffers on the way are full, and then no more.
          var before = -1
          try await eventually("the engine writes no further") {
            try await Task.sleep(for: .milliseconds(300))
            defer { before = engine.written }
            return engine.written == before
          }
          #expect(engine.written < FloodingEngine.parts / 2)
          var count = 0
          while let part = try await parts.next() { count += part.readableBytes }
          #expect(count > (FloodingEngine.parts - 1) * FloodingEngine.part.readableBytes)
        }
      }
    }

    @Test(arguments: [true, false])
    func `a client that hangs up ends the request at the engine`(_ isStream: Bool) async throws {
      let engine = try await Engine("--tokens-per-second", "2")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        let asking = Task {
          if isStream {
            var parts = try await gateway.stream().body.makeAsyncIterator()
            while try await parts.next() != nil {}
          } else {
            // Answered after longer than any test.
            _ = try await gateway.send(
              .POST, "/v1/chat/completions",
              body: #"{"model":"xai/grok-3","ignore_eos":true,"max_tokens":4000,"#
                + #""messages":\#(GatewayUnderTest.hello)}"#)
          }
        }
        try await eventually("the engine is asked") { try engine.connections == 1 }
        if isStream {
          try await eventually("the engine answers") { gateway.gate.reading.inFlight == 1 }
        }
        asking.cancel()
        try await eventually("the engine was left") { try engine.connections == 0 }
        try await eventually("nothing is in flight") { gateway.gate.reading.inFlight == 0 }
      }
    }

    // MARK: Engines that fail

    @Test func `an engine that dies within a stream ends it with an error`() async throws {
      let engine = try await Engine("--tokens-per-second", "5")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        var parts = try await gateway.stream().body.makeAsyncIterator()
        _ = try await parts.next()
        engine.program.signal(SIGKILL)
        var rest = ""
        while let part = try await parts.next() { rest += String(buffer: part) }
        #expect(rest.contains(#""code":"engine_failed""#))
        #expect(!rest.contains("[DONE]"))
      }
    }

    @Test func `an engine that hangs is given up after the named time`() async throws {
      let engine = try await Engine("--hang-after-requests", "0")
      var limits = GatewayLimits()
      limits.engineFirstByteSeconds = 1
      try await withGateway(Sample.policy(port: engine.port), limits: limits) { gateway, _ in
        let reply = try await gateway.chat()
        #expect(reply.status == 504)
        #expect(reply.code == "engine_timeout")
        #expect(gateway.gate.reading.inFlight == 0)
      }
    }

    @Test(arguments: [false, true])
    func `an engine that begins its answer and hangs is given up after the named time`(
      isStream: Bool
    ) async throws {
      var limits = GatewayLimits()
      limits.engineFirstByteSeconds = 1
      limits.sightingSeconds = 600
      // Its head goes out at once, and nothing after it.
      let responder = CallbackResponder<BasicRequestContext> { _, _ in
        Response(status: .ok, body: ResponseBody { _ in try await Task.sleep(for: .seconds(50)) })
      }
      try await withPort { onRunning in
        try await Application(
          responder: responder, server: .plain(),
          configuration: .init(address: .hostname("127.0.0.1", port: 0)),
          onServerRunning: { await onRunning($0.localAddress!.port!) }, logger: quiet
        ).run()
      } body: { [limits] enginePort in
        try await withGateway(Sample.policy(port: enginePort), limits: limits) { gateway, _ in
          let reply = try await gateway.send(
            .POST, "/v1/chat/completions",
            body: #"{"model":"xai/grok-3","stream":\#(isStream),"messages":[]}"#)
          #expect(reply.status == 504)
          #expect(reply.code == "engine_timeout")
          #expect(gateway.gate.reading.inFlight == 0)
          #expect(
            gateway.gate.takeSeen()[Sample.attempt(1)]?.gaveUp == 1, "it is the replica's fault")
        }
      }
    }

    @Test func `a stream that stands still is ended after the named time`() async throws {
      let engine = try await Engine("--tokens-per-second", "5")
      var limits = GatewayLimits()
      limits.idleSeconds = 1
      try await withGateway(Sample.policy(port: engine.port), limits: limits) { gateway, _ in
        var parts = try await gateway.stream().body.makeAsyncIterator()
        _ = try await parts.next()
        engine.program.signal(SIGSTOP)
        defer { engine.program.signal(SIGCONT) }
        var rest = ""
        while let part = try await parts.next() { rest += String(buffer: part) }
        #expect(rest.contains(#""code":"engine_timeout""#))
      }
    }

    // MARK: Quotas

    @Test func `a used up quota says when to come back`() async throws {
      let engine = try await Engine()
      var policy = Sample.policy(port: engine.port)
      policy.grants[0].requestsPerMinute = 2
      try await withGateway(policy) { gateway, _ in
        let start = ContinuousClock.now
        let first = try await gateway.chat()
        #expect(first.headers["x-ratelimit-limit-requests"] == ["2"])
        #expect(first.headers["x-ratelimit-remaining-requests"] == ["1"])
        #expect(first.headers["x-ratelimit-reset-requests"].first?.hasPrefix("1m") == true)
        _ = try await gateway.chat()
        let refused = try await gateway.chat()
        #expect(refused.status == 429)
        #expect(refused.code == "rate_limit_exceeded")
        // Of the minute since the first one.
        let passed = Int((ContinuousClock.now - start) / .seconds(1))
        let wait = try #require(Int(refused.headers["retry-after"].first ?? ""))
        #expect((59 - passed...61).contains(wait))
        #expect(refused.headers["x-ratelimit-remaining-requests"] == ["0"])
        #expect(refused.headers["x-ratelimit-reset-requests"] == [Headers.span(Double(wait))])
      }
    }

    @Test(arguments: [true, false])
    func `an answer's tokens are charged`(_ isStream: Bool) async throws {
      let engine = try await Engine()
      var policy = Sample.policy(port: engine.port)
      policy.teams[0].tokensPerMinute = 20
      try await withGateway(policy) { gateway, _ in
        if isStream {
          var parts = try await gateway.stream(tokens: 40).body.makeAsyncIterator()
          while try await parts.next() != nil {}
        } else {
          #expect(try await gateway.chat().status == 200)
        }
        let refused = try await gateway.chat()
        #expect(refused.status == 429)
        #expect(refused.message?.contains("tokens a minute of the team 'copilot'") == true)
      }
    }

    // MARK: Metrics

    @Test func `metrics name models only to who may know them`() async throws {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        _ = try await gateway.chat()
        _ = try await gateway.chat("xai/nonsense")
        let anyone = try await gateway.send(.GET, "/metrics", key: nil)
        #expect(anyone.body.contains(#"wharf_gateway_requests_total{code="200"} 1"#))
        #expect(!anyone.body.contains("grok"))
        let scraper = try await gateway.send(.GET, "/metrics", key: ControlPlane.credential)
        #expect(
          scraper.body.contains(
            #"wharf_gateway_requests_total{model="xai/grok-3",team="team/4",code="200"} 1"#))
        #expect(!scraper.body.contains("nonsense"))
        #expect(scraper.body.contains("wharf_gateway_policy_position 40"))
      }
    }
  }
}
