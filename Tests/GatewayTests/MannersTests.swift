// The gateway's manners of HTTP, met by clients that write bytes: what its own parts add to those of the
// server beneath.

import Glibc
import HTTPServing
import HTTPTypes
import Hosting
import NIOCore
import NIOHTTP1
import TestTools
import Testing
import Wire

@testable import Gateway

extension WithProcesses {
  @Suite struct MannersTests {
    static func post(_ headers: String, _ body: String = chat) -> String {
      "POST /v1/chat/completions HTTP/1.1\nhost: x\nauthorization: Bearer \(Sample.key)\n"
        + "content-type: application/json\n\(headers)content-length: \(body.utf8.count)\n\n\(body)"
    }
    static let chat = #"{"model":"xai/grok-3","messages":\#(GatewayUnderTest.hello)}"#

    @Test func `who shut its sending half gets its answer, who is gone leaves the engine`()
      async throws
    {
      let engine = try await Engine("--time-to-first-token-ms", "1500")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        let client = try RawClient(port: gateway.port)
        client.send(Self.post(""))
        client.shutSendingHalf()
        let answer = try await client.whole()
        #expect(answer.contains("HTTP/1.1 200 OK"))
        #expect(answer.contains("engine-grok heard: hello"))
      }
      let mute = try await Engine("--mute-after-requests", "0")
      try await withGateway(Sample.policy(port: mute.port)) { gateway, _ in
        let gone = try RawClient(port: gateway.port)
        gone.send(Self.post(""))
        try await eventually("it is asked") {
          gateway.gate.reading.inFlight == 1
        }
        gone.close()
        try await eventually("the engine is left") {
          gateway.gate.reading.inFlight == 0
        }
      }
    }

    @Test func `a key is looked at before a body is asked for`() async throws {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        let stranger = try RawClient(port: gateway.port)
        stranger.send(
          "POST /v1/chat/completions HTTP/1.1\nhost: x\nauthorization: Bearer nonsense\n"
            + "expect: 100-continue\ncontent-length: 100000\n\n")
        #expect(try await stranger.whole().hasPrefix("HTTP/1.1 401"))
        let client = try RawClient(port: gateway.port)
        client.send(
          "POST /v1/chat/completions HTTP/1.1\nhost: x\nauthorization: Bearer \(Sample.key)\n"
            + "expect: 100-continue\ncontent-length: \(Self.chat.utf8.count)\n\n")
        _ = try await client.received(with: "HTTP/1.1 100 Continue\r\n\r\n")
        client.send(Self.chat)
        _ = try await client.received(with: "heard: hello")
        let large = try RawClient(port: gateway.port)
        large.send(
          "POST /v1/chat/completions HTTP/1.1\nhost: x\nauthorization: Bearer \(Sample.key)\n"
            + "expect: 100-continue\ncontent-length: 99999999\n\n")
        #expect(try await large.whole().hasPrefix("HTTP/1.1 413"))
      }
    }

    @Test func `a stream by HTTP 1.0 has no chunks`() async throws {
      let engine = try await Engine()
      try await withGateway(Sample.policy(port: engine.port)) { gateway, _ in
        let body =
          #"{"model":"xai/grok-3","stream":true,"messages":\#(GatewayUnderTest.hello)}"#
        let client = try RawClient(port: gateway.port)
        client.send(Self.post("", body).replacing("HTTP/1.1", with: "HTTP/1.0"))
        let answer = try await client.whole()
        #expect(answer.hasPrefix("HTTP/1.0 200"))
        #expect(!answer.contains("chunked"))
        #expect(answer.contains("\r\n\r\ndata: {") && answer.hasSuffix("data: [DONE]\n\n"))
      }
    }

    @Test func `errors of before any route have OpenAI's shape`() async throws {
      try await withGateway(Sample.policy()) { gateway, _ in
        func ask(_ request: String) async throws -> String {
          let client = try RawClient(port: gateway.port)
          client.send(request)
          return try await client.whole()
        }
        let long = try await ask("GET / HTTP/1.1\nx: \(String(repeating: "x", count: 40_000))\n\n")
        #expect(long.hasPrefix("HTTP/1.1 431") && long.contains(#""code":"header_too_long""#))
        let broken = try await ask("nonsense\n\n")
        #expect(broken.hasPrefix("HTTP/1.1 400") && broken.contains(#""code":"malformed_request""#))
        let packed = try await ask(Self.post("content-encoding: gzip\nconnection: close\n"))
        #expect(packed.hasPrefix("HTTP/1.1 415"))
        #expect(packed.contains(#""code":"encoding_not_supported""#))
        let head = try await ask("HEAD /health HTTP/1.1\nhost: x\nconnection: close\n\n")
        #expect(head.hasPrefix("HTTP/1.1 200") && head.hasSuffix("\r\n\r\n"))
        let wrong = try await ask("PUT /v1/models HTTP/1.1\nhost: x\nconnection: close\n\n")
        #expect(wrong.hasPrefix("HTTP/1.1 405") && wrong.lowercased().contains("allow: get, head"))
        let other = try await ask(
          "GET /v1/chat/completions HTTP/1.1\nhost: x\nconnection: close\n\n")
        #expect(other.lowercased().contains("allow: post"))
      }
    }

    @Test func `bodies may take so much memory together and no more, and it is given back`()
      async throws
    {
      let engine = try await Engine()
      var limits = GatewayLimits()
      limits.bodiesBytes = 3000
      try await withGateway(Sample.policy(port: engine.port), limits: limits) { gateway, _ in
        func long() async throws -> Int {
          let chat = #"{"model":"xai/grok-3","messages":\#(GatewayUnderTest.hello)}"#
          let body = chat + String(repeating: " ", count: 2400)
          return try await gateway.send(.POST, "/v1/chat/completions", body: body).status
        }
        // One that was read while a long one was answered is refused itself: another takes its place.
        var held: [RawClient] = []
        try await eventually("there is no room") {
          let client = try RawClient(port: gateway.port)
          client.send(
            "POST /v1/chat/completions HTTP/1.1\nhost: x\nauthorization: Bearer \(Sample.key)\n"
              + "content-length: 2500\n\n" + String(repeating: " ", count: 2400))
          held.append(client)
          return try await long() == 503
        }
        #expect(try await gateway.chat().status == 200, "a short one fits")
        for client in held { client.close() }
        try await eventually("it is given back") { try await long() == 200 }
      }
    }

    @Test func `when connections run short those with a good key stay, and others make way`()
      async throws
    {
      var limits = GatewayLimits()
      // Beyond half of these, strangers make way.
      limits.clientConnections = 16
      // Nobody goes for saying nothing.
      limits.serving.firstHeadSeconds = 3_600
      try await withGateway(Sample.policy(), limits: limits) { gateway, _ in
        func ask(_ client: RawClient, _ key: String?, _ path: String = "/v1/models") async throws {
          func answers() -> Int { client.received.split(separator: "HTTP/1.1 ").count }
          let before = answers()
          let authorization = key.map { "authorization: Bearer \($0)\n" } ?? ""
          client.send("GET \(path) HTTP/1.1\nhost: x\n\(authorization)\n")
          try await eventually("\(path) is answered") {
            let isThere = answers() > before
            try #require(isThere || !client.hasEnded, "it was ended: \(path)")
            return isThere
          }
        }
        let clients = try (0..<4).map { _ in try RawClient(port: gateway.port) }
        let (good, fallen, wrong, keyless) = (clients[0], clients[1], clients[2], clients[3])
        try await ask(good, Sample.key)
        try await ask(fallen, Sample.key)
        try await ask(fallen, "nonsense")
        try await ask(wrong, "nonsense")
        try await ask(keyless, nil, "/health")
        #expect(!clients.contains { $0.hasEnded }, "there is room")
        let idle = try (0..<20).map { _ in try RawClient(port: gateway.port) }
        try await eventually("the others made way") {
          [fallen, wrong, keyless].allSatisfy(\.hasEnded)
        }
        try await ask(good, Sample.key)
        #expect(good.received.hasPrefix("HTTP/1.1 200"))
        #expect(!good.received.contains("HTTP/1.1 401"))
        #expect(idle.contains { !$0.hasEnded }, "those that are left may yet show a key")
      }
    }

    @Test
    func
      `what a gateway saw of replicas is told, and a control plane that does not know is no harm`()
      async throws
    {
      let mute = try await Engine("--mute-after-requests", "0")
      var limits = GatewayLimits()
      limits.engineFirstByteSeconds = 1
      limits.sightingSeconds = 1
      try await withGateway(Sample.policy(port: mute.port), limits: limits) { gateway, control in
        #expect(try await gateway.chat().status == 504)
        try await eventually("it is told") { !control.sightings.isEmpty }
        #expect(
          control.sightings[0].items
            == [AttemptSighting(attempt: Sample.attempt(1), asked: 1, answered: 0, gaveUp: 1)])
        control.knowsSightings = false
        #expect(try await gateway.chat().status == 504)
        try await eventually("it is told in vain") { control.unknown > 0 }
        #expect(gateway.gate.reading.serves)
      }
    }

    @Test func `a key that is too long for one is not even digested`() {
      let long = String(repeating: "x", count: 600)
      #expect(throws: Denial.unknownKey) {
        try Headers.bearer([.authorization: "Bearer \(long)"], limitBytes: 512)
      }
    }
  }
}
