// What of an engine's answer reaches the client, and what the client is told where it is none.

import AsyncHTTPClient
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
  @Suite struct EngineAnswerTests {
    /// Runs a gateway before an engine that answers so.
    func before<Value: Sendable>(
      tokensPerMinute: Int? = nil, _ answer: @escaping @Sendable (Request) async throws -> Response,
      _ body: @escaping @Sendable (GatewayUnderTest) async throws -> Value
    ) async throws -> Value {
      let responder = CallbackResponder<BasicRequestContext> { request, _ in
        try await answer(request)
      }
      return try await withPort { onRunning in
        try await Application(
          responder: responder, server: .plain(),
          configuration: .init(address: .hostname("127.0.0.1", port: 0)),
          onServerRunning: { await onRunning($0.localAddress!.port!) }, logger: quiet
        ).run()
      } body: { port in
        var policy = Sample.policy(port: port)
        policy.teams[0].tokensPerMinute = tokensPerMinute
        return try await withGateway(policy) { gateway, _ in try await body(gateway) }
      }
    }

    static let json = #"{"id":"1","choices":[]}"#

    @Test(arguments: [nil, "application/x-www-form-urlencoded", "text/plain"])
    func `an engine is told that it gets JSON, whatever the client called it`(_ type: String?)
      async throws
    {
      try await before { request in
        _ = try await request.body.collect(upTo: 1 << 20)
        let told = request.headers[values: .contentType].joined(separator: "+")
        return Response(
          status: .ok, headers: [.contentType: "application/json"],
          body: .init(byteBuffer: ByteBuffer(string: told)))
      } _: { gateway in
        var request = gateway.request(
          .POST, "/v1/chat/completions", body: #"{"model":"xai/grok-3","messages":[]}"#)
        request.headers.remove(name: "content-type")
        if let type { request.headers.add(name: "content-type", value: type) }
        let reply = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let told = String(buffer: try await reply.body.collect(upTo: 1 << 10))
        #expect(told == "application/json")
      }
    }

    @Test func `of an engine's header only what is named reaches the client`() async throws {
      try await before { request in
        _ = try await request.body.collect(upTo: 1 << 20)
        var headers: HTTPFields = [
          .contentType: "application/json", .cacheControl: "no-store", .setCookie: "a=b",
          .server: "uvicorn", .accessControlAllowOrigin: "*",
        ]
        headers[HTTPField.Name("x-internal")!] = "secret"
        headers[HTTPField.Name("x-ratelimit-limit-requests")!] = "7"
        headers[HTTPField.Name("openai-processing-ms")!] = "12"
        headers[.requestID] = "the engine's"
        return Response(
          status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: Self.json)))
      } _: { gateway in
        let reply = try await gateway.chat()
        #expect(reply.body == Self.json)
        let names = Set(reply.headers.map { $0.name.lowercased() })
        #expect(
          names == [
            "content-type", "cache-control", "openai-processing-ms", "x-request-id",
            "wharf-position", "wharf-attempt", "content-length", "date",
          ])
        #expect(reply.headers["x-request-id"] != ["the engine's"])
      }
    }

    @Test
    func
      `an engine that lies about what it took locks no team out`()
      async throws
    {
      let lie = #"{"id":"1","choices":[],"usage":{"total_tokens":9223372036854775807}}"#
      try await before(tokensPerMinute: 1_000) { request in
        _ = try await request.body.collect(upTo: 1 << 20)
        return Response(
          status: .ok, headers: [.contentType: "application/json"],
          body: .init(byteBuffer: ByteBuffer(string: lie)))
      } _: { gateway in
        for _ in 0..<3 {
          let reply = try await gateway.chat()
          #expect(reply.status == 200 && reply.body == lie)
        }
        let page = try await gateway.send(.GET, "/metrics").body
        #expect(page.contains("wharf_gateway_usage_disbelieved_total 3\n"), "\(page)")
      }
    }

    @Test func `an answer that is none is told as what it is`() async throws {
      try await before { request in
        _ = try await request.body.collect(upTo: 1 << 20)
        return Response(status: .temporaryRedirect, headers: [.location: "http://127.0.0.1:1/"])
      } _: { gateway in
        let reply = try await gateway.chat()
        #expect(reply.status == 502 && reply.code == "engine_bad_answer")
        #expect(reply.message?.contains("status 307") == true)
      }
      try await before { request in
        _ = try await request.body.collect(upTo: 1 << 20)
        var headers: HTTPFields = [.contentType: "application/json"]
        headers[HTTPField.Name("x-long")!] = String(repeating: "x", count: 200_000)
        return Response(
          status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: Self.json)))
      } _: { gateway in
        let reply = try await gateway.chat()
        #expect(reply.status == 502 && reply.code == "engine_bad_answer")
        #expect(reply.message?.contains("a header that is longer than is read") == true)
      }
    }

    @Test func `where an engine dies within an event the error stands alone`() async throws {
      struct Death: Error {}
      try await before { request in
        _ = try await request.body.collect(upTo: 1 << 20)
        return Response(
          status: .ok, headers: [.contentType: "text/event-stream"],
          body: ResponseBody { writer in
            try await writer.write(ByteBuffer(string: "data: {\"n\":1}\n\ndata: {\"n\":"))
            throw Death()
          })
      } _: { gateway in
        let reply = try await gateway.send(
          .POST, "/v1/chat/completions",
          body: #"{"model":"xai/grok-3","stream":true,"messages":[]}"#)
        let events = reply.body.split(separator: "\n\n").map { $0.dropFirst("data: ".count) }
        #expect(events.first == #"{"n":1}"# && events.count == 2, "\(reply.body)")
        for event in events { _ = try JSONValue(document: Array(event.utf8)) }
        #expect(events.last?.contains(#""code":"engine_failed""#) == true)
      }
    }

    @Test(arguments: [false, true])
    func `a stream is charged what its engine says, and only who asks is shown that`(
      _ asks: Bool
    ) async throws {
      let usage = #"{"choices":[],"usage":{"prompt_tokens":1,"total_tokens":600}}"#
      try await before(tokensPerMinute: 1_000) { request in
        let asked = String(buffer: try await request.body.collect(upTo: 1 << 20))
        let isTold = asked.contains(#""include_usage":true"#)
        return Response(
          status: .ok, headers: [.contentType: "text/event-stream"],
          body: ResponseBody { writer in
            try await writer.write(ByteBuffer(string: "data: {\"choices\":[{}]}\n\n"))
            if isTold { try await writer.write(ByteBuffer(string: "data: \(usage)\n\n")) }
            try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            try await writer.finish(nil)
          })
      } _: { gateway in
        let options = asks ? #""stream_options":{"include_usage":true},"# : ""
        let body = #"{"model":"xai/grok-3","stream":true,\#(options)"max_tokens":700}"#
        let reply = try await gateway.send(.POST, "/v1/chat/completions", body: body)
        let told = asks ? "data: \(usage)\n\n" : ""
        #expect(reply.body == "data: {\"choices\":[{}]}\n\n\(told)data: [DONE]\n\n")
        let refused = try await gateway.send(.POST, "/v1/chat/completions", body: body)
        #expect(refused.status == 429)
        #expect(refused.headers["x-ratelimit-remaining-tokens"] == ["400"])
      }
    }

    @Test func `that the platform ended an engine is said so`() async throws {
      let engine = try await Engine("--tokens-per-second", "5")
      try await withGateway(Sample.policy(port: engine.port)) { gateway, control in
        var parts = try await gateway.stream().body.makeAsyncIterator()
        _ = try await parts.next()
        control.policy = control.policy.next { $0.served = [] }
        try await eventually("the policy is enforced") { control.enforced.contains(41) }
        engine.program.signal(SIGKILL)
        var rest = ""
        while let part = try await parts.next() { rest += String(buffer: part) }
        #expect(rest.contains(#""code":"engine_stopped""#), "\(rest)")
        #expect(gateway.gate.takeSeen()[Sample.attempt(1)] == nil, "it is no fault of the engine's")
      }
    }
  }
}
