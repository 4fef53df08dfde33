// What an engine said against a request: its status and its words, in whichever form it writes them.
// The words go to the client that asked and nowhere else: they may repeat what it wrote.

import HTTPTypes
import Hosting
import NIOHTTP1

struct EngineRefusal: Equatable, Sendable {
  let status: Int
  var message: String?
  var type: String?
  var code: String?
  var parameter: String?
  var retryAfterSeconds: Int?
}

extension EngineRefusal {
  /// What it says against the replica; none where it is about the request, or is an answer of an engine
  /// that tried.
  var fault: RouteFault? {
    switch status {
    case 401, 403: .refusedKey
    case 429, 503: .full(seconds: retryAfterSeconds)
    case 400...599: nil
    default: .strange(.status(status))
    }
  }

  static let usualRetrySeconds = 1

  /// What the client is told.
  var denial: Denial {
    switch status {
    case 401, 403: return .engineRefusedKey
    case 429, 503:
      return Denial(
        status, type: type ?? (status == 429 ? "rate_limit_error" : "server_error"),
        code: code ?? "engine_overloaded",
        message ?? "The model's engine has no room for the request.", parameter: parameter,
        retryAfterSeconds: retryAfterSeconds ?? Self.usualRetrySeconds)
    case 400...499:
      return Denial(
        status, type: type ?? "invalid_request_error", code: code ?? "engine_refused",
        message ?? "The model's engine refused the request, and did not say why.",
        parameter: parameter, retryAfterSeconds: retryAfterSeconds)
    case 500...599:
      return Denial(
        status, type: type ?? "server_error", code: code ?? "engine_error",
        message ?? "The model's engine met an error of its own, and did not say which.",
        parameter: parameter, retryAfterSeconds: retryAfterSeconds)
    default: return .engineStrange(.status(status))
    }
  }
}

// MARK: Reading it

extension EngineRefusal {
  /// - Parameter body: none when it was too long, or did not come.
  init(status: Int, headers: HTTPHeaders, body: [UInt8]?, limits: GatewayLimits) {
    self.status = status
    if let text = headers.first(name: "retry-after"), let seconds = Int(text), seconds >= 0 {
      retryAfterSeconds = min(seconds, limits.retryAfterCeilingSeconds)
    }
    guard let body, !body.isEmpty else { return }
    if let value = try? JSONValue(document: body) {
      read(value)
    } else if headers.first(name: "content-type")?.hasPrefix("text/plain") == true {
      message = String(decoding: body, as: UTF8.self)
    }
    message = message.map { $0.shortened(to: limits.engineMessageCharacters) }
    type = type.flatMap(Self.word)
    code = code.flatMap(Self.word)
    parameter = parameter?.shortened(to: Self.longestWord)
  }

  /// OpenAI's form; the same without its shell, as older vLLM has it; FastAPI's `detail`; TEI's
  /// `error` with `error_type`.
  private mutating func read(_ value: JSONValue) {
    guard let fields = try? value.fields() else { return }
    for (key, value) in fields {
      switch key {
      case "error" where value.isObject: read(value)
      case "error", "message": message = message ?? (try? value.string())
      case "detail": message = message ?? Self.detail(value)
      case "type" where (try? value.string()) != "error", "error_type":
        type = type ?? (try? value.string())
      case "code": code = code ?? (try? value.string())
      case "param": parameter = parameter ?? (try? value.string())
      default: break
      }
    }
  }

  /// A text, or a list of what is wrong where.
  private static func detail(_ value: JSONValue) -> String? {
    if let text = try? value.string() { return text }
    guard let items = try? value.list() else { return nil }
    let lines = items.compactMap { item -> String? in
      guard let fields = try? item.fields(),
        let message = fields.first(where: { $0.key == "msg" }).flatMap({ try? $0.value.string() })
      else { return nil }
      let place = fields.first { $0.key == "loc" }.flatMap { try? $0.value.list() } ?? []
      let names = place.compactMap { name in
        (try? name.string()) ?? (try? name.integer()).map { "\($0)" }
      }
      return names.isEmpty ? message : "\(names.joined(separator: ".")): \(message)"
    }
    return lines.isEmpty ? nil : lines.joined(separator: "; ")
  }

  private static let longestWord = 64

  /// A name for programs, or nothing.
  private static func word(_ text: String) -> String? {
    (1...longestWord).contains(text.utf8.count)
      && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : nil
  }
}
