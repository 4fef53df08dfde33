// What the endpoint answers on its own, without an engine or a control plane: tested on the
// responder, without sockets.

import Foundation
import HTTPTypes
import Hosting
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing
import Wire

@testable import Gateway

@Suite struct RefusalTests {
  func with(
    _ policy: PolicyNews?, limits: GatewayLimits = GatewayLimits(),
    _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
  ) async throws {
    let server = try GatewayServer(
      options(servers: ["http://127.0.0.1:1"], limits: limits), logger: quiet)
    if let policy {
      server.gate.apply(PolicyIndex(policy), dropped: nil)
      _ = server.gate.renewLease(
        sentAt: server.gate.clock.uptime, seconds: 30, withPolicy: true)
    }
    try await server.application().test(.router) { client in try await body(client) }
    try await server.close()
  }

  static func headers(_ key: String? = Sample.key) -> HTTPFields {
    key.map { [.authorization: "Bearer \($0)"] } ?? [:]
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var method = HTTPRequest.Method.post
    var path = "/v1/chat/completions"
    var key: String? = Sample.key
    var body = #"{"model":"xai/grok-3","messages":[]}"#
    let status: Int
    let reply: String
  }

  static func error(_ message: String, _ type: String, _ param: String?, _ code: String) -> String {
    let param = param.map { "\"\($0)\"" } ?? "null"
    return
      #"{"error":{"message":"\#(message)","type":"\#(type)","param":\#(param),"code":"\#(code)"}}"#
  }

  static func meant(_ path: String, _ meant: String) -> Case {
    Case(
      testDescription: "\(path), much like another path", path: path, status: 404,
      reply: error(
        "There is no POST \(path) here: the path is \(meant).", "invalid_request_error", nil,
        "unknown_url"))
  }

  static let cases: [Case] = [
    Case(
      testDescription: "no key", key: nil, status: 401,
      reply: error(
        "No API key was given: send it as 'Authorization: Bearer KEY'.", "invalid_request_error",
        nil,
        "missing_api_key")),
    Case(
      testDescription: "an unknown key", key: "nonsense", status: 401,
      reply: error(
        "The API key is not known: it is mistyped, was revoked, or has expired.",
        "invalid_request_error", nil, "invalid_api_key")),
    Case(
      testDescription: "a model never granted", body: #"{"model":"xai/grok-mini"}"#, status: 403,
      reply: error(
        "team copilot has no access to xai/grok-mini", "permission_error", "model",
        "notGranted")),
    Case(
      testDescription: "an unknown model", body: #"{"model":"xai/grok-9"}"#, status: 404,
      reply: error(
        "The model 'xai/grok-9' does not exist or you do not have access to it.",
        "invalid_request_error", "model", "model_not_found")),
    Case(
      testDescription: "no model", body: "{}", status: 400,
      reply: error(
        "The request names no model.", "invalid_request_error", "model", "invalid_request")),
    Case(
      testDescription: "an unknown path", path: "/v1/images", status: 404,
      reply: error("There is no POST /v1/images here.", "invalid_request_error", nil, "unknown_url")
    ),
    meant("//v1/chat/completions", "/v1/chat/completions"),
    meant("/v1/chat/completions/", "/v1/chat/completions"),
    meant("/chat/completions", "/v1/chat/completions"),
    meant("/v1/models/", "/v1/models"), meant("/models", "/v1/models"),
    meant("/models/xai/grok-3", "/v1/models/xai/grok-3"),
    Case(
      testDescription: "a wrong method", method: .get, status: 405,
      reply: error(
        "/v1/chat/completions does not answer to GET, but to POST.", "invalid_request_error", nil,
        "method_not_allowed")),
    Case(
      testDescription: "a body that is too long", body: String(repeating: " ", count: 5000),
      status: 413,
      reply: error(
        "The request's body is longer than 4096 bytes.", "invalid_request_error", nil,
        "request_too_large")),
    Case(
      testDescription: "an unknown model looked up", method: .get, path: "/v1/models/xai/grok-9",
      body: "", status: 404,
      reply: error(
        "The model 'xai/grok-9' does not exist or you do not have access to it.",
        "invalid_request_error", "model", "model_not_found")),
  ]

  @Test(arguments: cases) func `a refusal has OpenAI's shape`(_ refused: Case) async throws {
    var limits = GatewayLimits()
    limits.requestBodyBytes = 4096
    try await with(Sample.policy(), limits: limits) { client in
      try await client.execute(
        uri: refused.path, method: refused.method, headers: Self.headers(refused.key),
        body: ByteBuffer(string: refused.body)
      ) { reply in
        #expect(reply.status.code == refused.status)
        #expect(String(buffer: reply.body) == refused.reply)
        #expect(reply.headers[.contentType] == "application/json")
        #expect(reply.headers[.wharfPosition] == "40")
        #expect(reply.headers[.requestID].flatMap(UUID.init(uuidString:)) != nil)
      }
    }
  }

  @Test func `before it has heard of a policy the gateway answers nothing`() async throws {
    try await with(nil) { client in
      for (method, path) in [
        (HTTPRequest.Method.post, "/v1/chat/completions"), (.get, "/v1/models"), (.get, "/health"),
        (.get, "/v1/models/xai/grok-3"),
      ] {
        try await client.execute(uri: path, method: method, headers: Self.headers(nil)) { reply in
          #expect(reply.status == .serviceUnavailable)
          if path != "/health" { #expect(reply.headers[.retryAfterSeconds] == "2") }
        }
      }
    }
  }

  @Test func `a team is shown the models it may use, and no other`() async throws {
    try await with(Sample.policy().withSecret()) { client in
      let grok =
        #"{"id":"xai/grok-3","object":"model","created":1746057600,"owned_by":"xai"}"#
      try await client.execute(uri: "/v1/models", method: .get, headers: Self.headers()) { reply in
        #expect(String(buffer: reply.body) == #"{"object":"list","data":[\#(grok)]}"#)
      }
      for path in ["/v1/models/xai/grok-3", "/v1/models/xai%2Fgrok-3", "/v1/models/xai%2fgrok-3"] {
        try await client.execute(uri: path, method: .get, headers: Self.headers()) { reply in
          #expect(String(buffer: reply.body) == grok)
        }
      }
    }
  }

  @Test func `health tells position and lease`() async throws {
    let start = ContinuousClock.now
    try await with(Sample.policy()) { client in
      try await client.execute(uri: "/health", method: .get) { reply in
        #expect(reply.status == .ok)
        let fields = try JSONValue(document: Array(reply.body.readableBytesView)).fields()
        #expect(
          fields.map(\.key) == ["status", "position", "leaseLeftSeconds", "servingLeftSeconds"])
        #expect(try fields[1].value.integer() == 40)
        let passed = (ContinuousClock.now - start) / .seconds(1)
        #expect((29 - passed...30).contains(try fields[2].value.number()))
      }
    }
  }

  @Test func `with an embargoed model and without it every reply is the same`() async throws {
    let with = Sample.policy().withSecret()
    let without = Sample.policy()
    let (seen, unseen) = (try await probe(with), try await probe(without))
    for (reply, other) in zip(seen, unseen) { #expect(reply == other) }
    #expect(seen.count == unseen.count)
  }

  /// All that somebody who may not know of `xai/secret` can ask about it.
  private func probe(_ policy: PolicyNews) async throws -> [String] {
    let seen = Seen()
    try await with(policy) { client in
      for key in [Sample.key, "nonsense", nil] {
        for name in ["xai/secret", "xai/secret:1", "xai/secret:stable", "XAI/Secret", "xai/secre"] {
          for path in ["/v1/chat/completions", "/v1/completions", "/v1/embeddings"] {
            try await seen.add(client, .post, path, key, #"{"model":"\#(name)"}"#)
          }
          try await seen.add(client, .get, "/v1/models/\(name)", key, "")
        }
        for path in ["/v1/models", "/metrics", "/v1/models/xai/"] {
          try await seen.add(client, .get, path, key, "")
        }
      }
    }
    return await seen.replies
  }

  private actor Seen {
    var replies: [String] = []

    func add(
      _ client: any TestClientProtocol, _ method: HTTPRequest.Method, _ path: String,
      _ key: String?, _ body: String
    ) async throws {
      let reply = try await client.execute(
        uri: path, method: method, headers: RefusalTests.headers(key),
        body: ByteBuffer(string: body))
      var headers = reply.headers
      // What is left of the lease may be a digit longer: the bodies are compared anyway.
      for name in [HTTPField.Name.requestID, .date, .contentLength] { headers[name] = nil }
      let text = String(buffer: reply.body).split(separator: "\n")
        .filter {
          !$0.hasPrefix("wharf_gateway_lease_seconds")
            && !$0.hasPrefix("wharf_gateway_serving_seconds")
        }.joined(separator: "\n")
      replies.append("\(method) \(path) \(body) → \(reply.status) \(headers) \(text)")
    }
  }
}
