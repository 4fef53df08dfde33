// A gateway in this process between a control plane in this process and real engine processes.

import AsyncHTTPClient
import Glibc
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import TestTools
import Time
import Wire

@testable import Gateway

/// A simulated engine, as a process of its own.
struct Engine: Sendable {
  let program: Program
  let port: Int

  init(_ flags: String..., key: EngineKey = Sample.engineKey) async throws {
    program = try Program(
      "wharf-engine-sim", ["--port", "0", "--served-model-name", "engine-grok"] + flags,
      environment: ["WHARF_ENGINE_KEY": key.secret])
    port = try await program.number(after: "listening on 127.0.0.1:")
    try await eventually("the engine is ready") { [program] in program.written.contains("ready:") }
  }

  func route(_ number: Int = 1, key: EngineKey = Sample.engineKey) -> PolicyRoute {
    Sample.route(number, port: port, key: key)
  }

  /// One of the engine's own metrics.
  func metric(_ name: String) async throws -> Double {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/metrics")
    request.headers.add(name: "authorization", value: "Bearer \(Sample.engineKey.secret)")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let text = String(buffer: try await response.body.collect(upTo: 1 << 20))
    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
    return line.flatMap { Double($0.split(separator: " ").last!) } ?? -1
  }

  /// Connections to it that are open now, from anywhere.
  var connections: Int {
    get throws {
      let table = try wholeFile("/proc/net/tcp")
      let end = ":" + String(port, radix: 16, uppercase: true)
      return table.split(separator: "\n").count { line in
        let fields = line.split(separator: " ")
        return fields.count > 3 && fields[2].hasSuffix(end) && fields[3] == "01"
      }
    }
  }

  var running: Double { get async throws { try await metric("vllm:num_requests_running") } }
}

/// Answers anything with a stream far larger than all buffers, as fast as it is taken. No simulated
/// engine is so quick.
final class FloodingEngine: Sendable {
  static let parts = 4000
  static let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 16_384)

  private let count = Mutex(0)
  /// Parts that were taken off its hands.
  var written: Int { count.withLock { $0 } }

  func serving(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
    try await withPort { [self] onRunning in
      let responder = CallbackResponder<GatewayContext> { [self] request, context in
        _ = try await request.body.collect(upTo: 1 << 20)
        return Response(
          status: .ok, headers: [.contentType: "text/event-stream"],
          body: ResponseBody { writer in
            for _ in 0..<Self.parts {
              try await writer.write(Self.part)
              // Else it would run ahead of the thread that finds out that nobody reads.
              try await context.channel.eventLoop.submit {}.get()
              self.count.withLock { $0 += 1 }
            }
            try await writer.finish(nil)
          })
      }
      try await Application(
        responder: responder, server: .plain(),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { await onRunning($0.localAddress!.port!) }, logger: quiet
      ).run()
    } body: {
      try await body($0)
    }
  }
}

/// Streams the first part of an answer, and the rest once it is told to: what is to happen while it is at
/// work has all the time that it needs.
final class HeldEngine: Sendable {
  private let isReleased = Mutex(false)

  func release() { isReleased.withLock { $0 = true } }

  func serving(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
    try await withPort { [self] onRunning in
      let responder = CallbackResponder<BasicRequestContext> { [self] request, _ in
        _ = try await request.body.collect(upTo: 1 << 20)
        return Response(
          status: .ok, headers: [.contentType: "text/event-stream"],
          body: ResponseBody { writer in
            try await writer.write(ByteBuffer(string: "data: {\"choices\":[{}]}\n\n"))
            while !self.isReleased.withLock({ $0 }) {
              try await Task.sleep(for: .milliseconds(5))
            }
            try await writer.write(ByteBuffer(string: "data: [DONE]\n\n"))
            try await writer.finish(nil)
          })
      }
      try await Application(
        responder: responder, server: .plain(),
        configuration: .init(address: .hostname("127.0.0.1", port: 0)),
        onServerRunning: { await onRunning($0.localAddress!.port!) }, logger: quiet
      ).run()
    } body: {
      try await body($0)
    }
  }
}

struct Reply: Sendable {
  let status: Int
  let headers: HTTPHeaders
  let body: String

  /// `error.code`, by OpenAI's shape.
  var code: String? { field("code") }
  var message: String? { field("message") }

  private func field(_ name: String) -> String? {
    guard let value = try? JSONValue(document: Array(body.utf8)),
      let error = try? value.fields().first(where: { $0.key == "error" })?.value,
      let found = try? error.fields().first(where: { $0.key == name })?.value
    else { return nil }
    return try? found.string()
  }
}

struct GatewayUnderTest: Sendable {
  let port: Int
  let gate: Gate

  static let hello = #"[{"role":"user","content":"hello"}]"#

  func request(
    _ method: HTTPMethod, _ path: String, key: String? = Sample.key, body: String? = nil
  ) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
    request.method = method
    if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(string: body))
    }
    return request
  }

  func send(
    _ method: HTTPMethod, _ path: String, key: String? = Sample.key, body: String? = nil
  ) async throws -> Reply {
    let response = try await HTTPClient.shared.execute(
      request(method, path, key: key, body: body), timeout: .seconds(120))
    let text = String(buffer: try await response.body.collect(upTo: 64 << 20))
    return Reply(status: Int(response.status.code), headers: response.headers, body: text)
  }

  func chat(_ model: String = "xai/grok-3", key: String? = Sample.key) async throws -> Reply {
    try await send(
      .POST, "/v1/chat/completions", key: key,
      body: #"{"model":"\#(model)","messages":\#(Self.hello)}"#)
  }

  /// A stream whose parts are read one by one.
  func stream(tokens: Int = 4000) async throws -> HTTPClientResponse {
    try await HTTPClient.shared.execute(
      request(
        .POST, "/v1/chat/completions",
        body: #"{"model":"xai/grok-3","stream":true,"ignore_eos":true,"max_tokens":\#(tokens),"#
          + #""messages":\#(Self.hello)}"#), timeout: .seconds(60))
  }
}

/// Runs a gateway against a control plane that serves `policy`, once it has applied it.
func withGateway<Value: Sendable>(
  _ policy: PolicyNews, limits: GatewayLimits = GatewayLimits(), origins: [String] = [],
  clocks: Clocks = .system,
  _ body: @escaping @Sendable (GatewayUnderTest, ControlPlane) async throws -> Value
) async throws -> Value {
  let control = ControlPlane(policy)
  return try await control.serving { controlPort in
    var options = options(servers: ["http://127.0.0.1:\(controlPort)"], limits: limits)
    options.corsOrigins = origins
    let server = try GatewayServer(options, clocks: clocks, logger: quiet)
    return try await withPort { onRunning in
      try await server.run(signals: [], onRunning: onRunning)
    } body: { port in
      let gateway = GatewayUnderTest(port: port, gate: server.gate)
      try await eventually("the policy is enforced") { control.enforced.contains(policy.position) }
      return try await body(gateway, control)
    }
  }
}

func options(servers: [String], limits: GatewayLimits = GatewayLimits()) -> GatewayOptions {
  var options = GatewayOptions(
    servers: servers, host: "127.0.0.1", port: 0, credentialFile: credentialFile,
    metricsTokenFile: credentialFile)
  options.limits = limits
  return options
}

/// A file that no other gateway keeps what it saw in.
var seenFile: String {
  "\(credentialFile).\(UInt64.random(in: .min ... .max)).seen"
}

/// A file with the credential that the control plane of these tests knows.
let credentialFile: String = {
  var template = Array("/tmp/wharf-gateway-credential-XXXXXX\0".utf8CString)
  let descriptor = mkstemp(&template)
  precondition(descriptor >= 0, "no file for the credential could be made")
  let text = ControlPlane.credential + "\n"
  precondition(write(descriptor, text, text.utf8.count) == text.utf8.count)
  close(descriptor)
  return String(
    decoding: template.dropLast().map { UInt8(bitPattern: $0) }.prefix { $0 != 0 }, as: UTF8.self)
}()
