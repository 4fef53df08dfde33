// Replies that the gateway itself makes: errors in OpenAI's shape, the lists of models, health.

import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import Wire

extension HTTPField.Name {
  static let requestID = HTTPField.Name("x-request-id")!
  /// The position of the policy that the request was decided by.
  static let wharfPosition = HTTPField.Name("wharf-position")!
  /// The attempt whose engine answered.
  static let wharfAttempt = HTTPField.Name("wharf-attempt")!
  /// How many seconds it is served on without a leader's word, while that is so.
  static let wharfGraceSeconds = HTTPField.Name("x-wharf-grace-seconds")!
  static let retryAfterSeconds = HTTPField.Name("retry-after")!

  /// What the gateway itself says in an answer: no engine may say it, and pages of other origins may read it.
  static let ownFields: [HTTPField.Name] = [
    .requestID, .wharfPosition, .wharfAttempt, .wharfGraceSeconds,
  ]
}

enum Replies {
  static func error(_ denial: Denial) -> Response {
    var response = json(status: denial.status, errorBody(denial))
    if let seconds = denial.retryAfterSeconds {
      response.headers[.retryAfterSeconds] = String(seconds)
    }
    if let methods = denial.allowedMethods { response.headers[.allow] = methods }
    if denial.status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
    return response
  }

  /// The form of what no route sees.
  static func form(_ limits: GatewayLimits) -> ProblemForm {
    { ("application/json", errorBody(Denial($0, limits))) }
  }

  static func errorBody(_ denial: Denial) -> [UInt8] {
    var json = JSONWriter()
    json.openObject()
    json.key("error")
    json.openObject()
    json.key("message")
    json.string(denial.message)
    json.key("type")
    json.string(denial.type)
    json.key("param")
    if let parameter = denial.parameter { json.string(parameter) } else { json.null() }
    json.key("code")
    json.string(denial.code)
    json.closeObject()
    json.closeObject()
    return json.bytes
  }

  /// How a stream that has begun tells of an error. Within an event that was cut short it starts with an
  /// empty line, lest it be taken for the rest of that.
  static func errorEvent(_ denial: Denial, isWithinEvent: Bool) -> ByteBuffer {
    var buffer = ByteBuffer(string: isWithinEvent ? "\n\ndata: " : "data: ")
    buffer.writeBytes(errorBody(denial))
    buffer.writeString("\n\n")
    return buffer
  }

  static func models(_ models: [PolicyIndex.Model]) -> Response {
    var json = JSONWriter()
    json.openObject()
    json.key("object")
    json.string("list")
    json.key("data")
    json.openList()
    for model in models { write(model, &json) }
    json.closeList()
    json.closeObject()
    return Self.json(status: 200, json.bytes)
  }

  static func model(_ model: PolicyIndex.Model) -> Response {
    var json = JSONWriter()
    write(model, &json)
    return Self.json(status: 200, json.bytes)
  }

  private static func write(_ model: PolicyIndex.Model, _ json: inout JSONWriter) {
    json.openObject()
    json.key("id")
    json.string(model.name)
    json.key("object")
    json.string("model")
    json.key("created")
    json.integer(model.facts.onboardedAt.microseconds / 1_000_000)
    json.key("owned_by")
    json.string(model.provider)
    json.closeObject()
  }

  static func health(_ reading: Gate.Reading) -> Response {
    // Before it has its part of limits, whoever has one would be turned away.
    let isReady = reading.serves && reading.hasShares
    var json = JSONWriter()
    json.openObject()
    json.key("status")
    json.string(
      !isReady && reading.serves
        ? "noShares" : reading.isInGrace ? "inGrace" : reading.serves ? "serving" : "noLease")
    json.key("position")
    json.integer(reading.position.value)
    json.key("leaseLeftSeconds")
    json.number((reading.leaseLeft.inSeconds * 1000).rounded() / 1000)
    json.key("servingLeftSeconds")
    json.number((reading.servingLeft.inSeconds * 1000).rounded() / 1000)
    json.closeObject()
    return Self.json(status: isReady ? 200 : 503, json.bytes)
  }

  static func json(status: Int, _ body: [UInt8]) -> Response {
    Response(
      status: .init(code: status), headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}
