// Errors in the shape that OpenAI's clients know: {"error": {"message", "type", "param", "code"}}.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

struct APIError: Error {
  enum Kind: String {
    case authentication = "authentication_error"
    case invalidRequest = "invalid_request_error"
    case notFound = "not_found_error"
    case rateLimit = "rate_limit_error"
    case server = "server_error"
    case unavailable = "service_unavailable_error"
  }

  var status: HTTPResponse.Status
  var kind: Kind
  var message: String
  /// The field of the request that is at fault.
  var param: String?
  var code: String?

  static func badRequest(_ message: String, param: String? = nil, code: String? = nil) -> Self {
    APIError(
      status: .badRequest, kind: .invalidRequest, message: message, param: param, code: code)
  }

  static let unauthorized = APIError(
    status: .unauthorized, kind: .authentication,
    message: "This engine answers only with its key, as 'authorization: Bearer KEY'.",
    code: "invalid_api_key")

  static let loading = APIError(
    status: .serviceUnavailable, kind: .unavailable, message: "The model is not loaded yet.",
    code: "model_loading")

  static func overloaded(status: HTTPResponse.Status) -> Self {
    APIError(
      status: status, kind: status == .tooManyRequests ? .rateLimit : .unavailable,
      message: "All places to run and to wait are taken.", code: "overloaded")
  }

  static func unknownModel(_ name: String) -> Self {
    APIError(
      status: .notFound, kind: .invalidRequest, message: "The model '\(name)' does not exist.",
      param: "model", code: "model_not_found")
  }

  static func contextExceeded(limit: Int, prompt: Int, reply: Int?) -> Self {
    let asked =
      reply.map { "\(prompt + $0) tokens (\(prompt) in the prompt, \($0) for the reply)" }
      ?? "\(prompt) tokens in the prompt"
    return badRequest(
      "This model's maximum context length is \(limit) tokens. However, you requested \(asked).",
      param: "messages", code: "context_length_exceeded")
  }
}

extension APIError {
  /// What a thrown error is to the client; `maxBodyBytes` for its message.
  init(describing error: any Error, maxBodyBytes: Int) {
    switch error {
    case let error as APIError:
      self = error
    case is NIOTooManyBytesError:
      self.init(
        status: .contentTooLarge, kind: .invalidRequest,
        message: "The body is longer than \(maxBodyBytes) bytes.", code: "body_too_large")
    case let error as any HTTPResponseError:
      self.init(
        status: error.status, kind: error.status == .notFound ? .notFound : .invalidRequest,
        message: error.status == .notFound ? "There is no such route." : error.status.reasonPhrase)
    default:
      self.init(status: .internalServerError, kind: .server, message: "The request failed.")
    }
  }

  /// Says which field of the body does not fit.
  init(decoding error: DecodingError) {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      let param = Self.path(context.codingPath)
      self = .badRequest(
        "'\(param)' has the wrong type: \(context.debugDescription)", param: param,
        code: "invalid_type")
    case .keyNotFound(let key, let context):
      let param = Self.path(context.codingPath + [key])
      self = .badRequest(
        "'\(param)' is missing.", param: param, code: "missing_required_parameter")
    case .dataCorrupted(let context):
      self = .badRequest(
        context.codingPath.isEmpty
          ? "The body is not JSON." : "'\(Self.path(context.codingPath))' does not fit.",
        param: context.codingPath.isEmpty ? nil : Self.path(context.codingPath),
        code: "invalid_json")
    @unknown default:
      self = .badRequest("The body does not fit.")
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.reduce("") { path, key in
      if let index = key.intValue { return "\(path)[\(index)]" }
      let name = apiName(key.stringValue)
      return path.isEmpty ? name : "\(path).\(name)"
    }
  }

  private struct Body: Encodable {
    struct Content: Encodable {
      var message: String
      var type: String
      @Nullable var param: String?
      @Nullable var code: String?
    }
    var error: Content
  }

  var response: Response {
    let body = Body(
      error: .init(message: message, type: kind.rawValue, param: param, code: code))
    var response = jsonResponse(body, status: status)
    if status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
    if status == .tooManyRequests || status == .serviceUnavailable {
      response.headers[.retryAfter] = "1"
    }
    return response
  }
}

/// Encodes nil as null, where clients expect the field to be there.
@propertyWrapper
struct Nullable<Value: Encodable & Sendable>: Encodable, Sendable {
  var wrappedValue: Value?

  init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue {
      try container.encode(wrappedValue)
    } else {
      try container.encodeNil()
    }
  }
}

func jsonResponse(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
  Response(
    status: status, headers: [.contentType: "application/json"],
    body: .init(byteBuffer: ByteBuffer(bytes: encodeJSON(value))))
}
