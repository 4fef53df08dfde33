// A simulated engine under test: a real process, spoken to over its port.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import TestKit

struct Sim {
  let folder: TestFolder
  let process: Child
  let port: Int

  /// Starts one and waits until it listens; until it is ready too, unless told otherwise.
  init(
    _ flags: [String] = [], environment: [String: String] = [:], in folder: TestFolder,
    untilReady: Bool = true
  ) async throws {
    self.folder = folder
    let process = try Self.spawn(flags, environment: environment, in: folder)
    self.process = process
    port = try await eventually("the engine listens") {
      if let status = process.status() {
        throw TestFailure("the engine ended with \(status): \(process.errors)")
      }
      let line = process.output.split(separator: "\n").first { $0.hasPrefix("listening on ") }
      return line?.split(separator: ":").last.flatMap { Int($0) }
    }
    if untilReady { try await waitForOutput("ready: ") }
  }

  static func spawn(
    _ flags: [String], environment: [String: String] = [:], in folder: TestFolder
  ) throws -> Child {
    try Child(
      [builtProgram("wharf-engine-sim"), "--port", "0", "--engine-log", folder.path("engine-log")]
        + flags, environment: folder.environment(environment), folder: folder)
  }

  func waitForOutput(_ text: String) async throws {
    try await eventually("the engine says '\(text)'") { process.output.contains(text) }
  }

  /// The engine log's lines.
  var log: [JSON] {
    get throws { try Self.log(in: folder) }
  }

  static func log(in folder: TestFolder) throws -> [JSON] {
    try (folder.text("engine-log") ?? "").split(separator: "\n").map { try JSON(String($0)) }
  }

  func request(
    _ method: HTTPMethod = .GET, _ path: String, key: String? = nil, body: String? = nil
  ) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
    request.method = method
    if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    return request
  }

  func get(_ path: String, key: String? = nil) async throws -> Answer {
    try await Answer(send(request(.GET, path, key: key)))
  }

  func post(_ path: String, _ body: String, key: String? = nil) async throws -> Answer {
    try await Answer(send(request(.POST, path, key: key, body: body)))
  }

  func chat(_ content: String, _ more: String = "", key: String? = nil) async throws -> Answer {
    try await post("/v1/chat/completions", Self.chatBody(content, more), key: key)
  }

  /// - Parameter more: further fields, each with a comma before it.
  static func chatBody(_ content: String, _ more: String = "") -> String {
    #"{"model":"sim","messages":[{"role":"user","content":"\#(content)"}]\#(more)}"#
  }

  /// Opens a stream and gives its events as they come.
  func stream(_ path: String, _ body: String) async throws -> EventReader {
    let response = try await send(request(.POST, path, body: body))
    guard response.status == .ok else {
      throw TestFailure("the stream was answered with \(response.status.code)")
    }
    return EventReader(response)
  }

  func chatStream(_ content: String, _ more: String = "") async throws -> EventReader {
    try await stream("/v1/chat/completions", Self.chatBody(content, #","stream":true\#(more)"#))
  }

  func send(
    _ request: HTTPClientRequest, withinSeconds limit: Int64 = 300
  ) async throws -> HTTPClientResponse {
    try await HTTPClient.shared.execute(request, timeout: .seconds(limit))
  }
}

/// A whole answer.
struct Answer {
  let status: UInt
  let headers: HTTPHeaders
  let text: String

  init(_ response: HTTPClientResponse) async throws {
    status = response.status.code
    headers = response.headers
    text = String(buffer: try await response.body.collect(upTo: 16 << 20))
  }

  var json: JSON {
    get throws { try JSON(text) }
  }

  /// The text of a chat's first choice.
  var content: String? {
    get throws { try json["choices"][0]["message"]["content"].string }
  }

  var errorCode: String? {
    get throws { try json["error"]["code"].string }
  }
}

/// The data of server-sent events, one at a time.
struct EventReader {
  private var iterator: HTTPClientResponse.Body.AsyncIterator
  private var buffer = ""

  init(_ response: HTTPClientResponse) { iterator = response.body.makeAsyncIterator() }

  /// The next event's data; nil at the end.
  mutating func next() async throws -> String? {
    while true {
      if let end = buffer.firstRange(of: "\n\n") {
        let event = String(buffer[..<end.lowerBound])
        buffer.removeSubrange(..<end.upperBound)
        guard event.hasPrefix("data: ") else { throw TestFailure("no data in '\(event)'") }
        return String(event.dropFirst("data: ".count))
      }
      guard let chunk = try await iterator.next() else { return nil }
      buffer += String(buffer: chunk)
    }
  }

  /// All that is left.
  mutating func rest() async throws -> [String] {
    var events: [String] = []
    while let event = try await next() { events.append(event) }
    return events
  }
}

/// JSON to be looked into: whatever is not there is null.
struct JSON {
  private let value: Any

  init(_ text: String) throws {
    value = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  private init(value: Any) { self.value = value }

  subscript(name: String) -> JSON {
    JSON(value: (value as? [String: Any])?[name] ?? NSNull())
  }

  subscript(index: Int) -> JSON {
    let items = value as? [Any] ?? []
    return JSON(value: items.indices.contains(index) ? items[index] : NSNull())
  }

  var string: String? { value as? String }
  var int: Int? { (value as? NSNumber)?.intValue }
  var items: [JSON] { (value as? [Any] ?? []).map(JSON.init(value:)) }
  var numbers: [Double] { (value as? [Any] ?? []).compactMap { ($0 as? NSNumber)?.doubleValue } }
  var strings: [String] { (value as? [Any] ?? []).compactMap { $0 as? String } }
  var keys: Set<String> { Set((value as? [String: Any] ?? [:]).keys) }
  var isNull: Bool { value is NSNull }
}
