// Every error of the API, with its status and the body that says what was attempted, why it failed
// and what would help.

import EventLog
import HTTPServing
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import Wire

struct APIError: Error, HTTPResponseError {
  let status: HTTPResponse.Status
  let failure: ErrorReply.Failure
  let position: Position?
  /// The head to bear witness of, where the error speaks of it.
  let head: Head?

  init(
    _ status: HTTPResponse.Status, _ code: String, _ message: String, help: String,
    at position: Position? = nil, head: Head? = nil
  ) {
    self.status = status
    self.head = head
    failure = ErrorReply.Failure(code: code, message: message, help: help)
    self.position = position
  }

  var body: [UInt8] { ErrorReply(position: position, error: failure).jsonBytes }

  func response(from request: Request, context: some RequestContext) -> Response {
    var headers: HTTPFields = [.contentType: "application/json"]
    if status == .serviceUnavailable || status == .tooManyRequests { headers[.retryAfter] = "1" }
    // What comes behind a token that is not good is not read.
    if status == .unauthorized, request.method == .post { headers[.connection] = "close" }
    if let head, let name = HTTPField.Name(WharfHeader.head) {
      headers[name] = head.witness.headerText
    }
    if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }
}

extension APIError {
  static func malformed(_ what: String, _ problem: JSONProblem) -> APIError {
    APIError(
      .badRequest, "malformed", "cannot read \(what): \(problem)",
      help: "the API takes strict JSON: no unknown, doubled or mistyped fields")
  }

  static func badParameter(_ name: String, _ value: String, wanted: String) -> APIError {
    APIError(
      .badRequest, "malformed",
      "the parameter '\(name)' is '\(value.shortened(to: 60))': expected \(wanted)",
      help: "write \(wanted)")
  }

  static func starting(_ board: HeadBoard) -> APIError {
    if let obstacle = board.obstacle {
      return APIError(
        .serviceUnavailable, "shortOfSeen", obstacle,
        help: "ask another wharfd, or see to the database")
    }
    return APIError(
      .serviceUnavailable, "starting", "this wharfd has not read the log yet", help: "try again")
  }

  /// What no route sees.
  init(_ problem: ServingProblem, _ limits: ServingLimits) {
    let words = problem.code.split(separator: "_")
    let code = words.dropFirst().reduce(String(words[0])) {
      $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
    self.init(
      .init(code: problem.status), code, problem.message(limits),
      help: "send it as the documentation of the API says")
  }

  init(_ problem: OutOfTouch) {
    self.init(
      .serviceUnavailable, ErrorReply.databaseNotReachable, "\(problem); nothing was done",
      help: "see to the database, and to the way there from wharfd; reads of now are answered on")
  }

  /// The refusal of a route that is for machines.
  static func notFor(
    _ role: Role, _ request: Request, _ whom: String, help: String
  ) -> APIError {
    APIError(
      .forbidden, "notAllowed",
      "'\(request.method.rawValue) \(request.uri.path.shortened(to: 80))' is for \(whom), and not "
        + "for the role \(role.rawValue)", help: help)
  }

  init(_ refusal: Refusal, at position: Position) {
    let status: HTTPResponse.Status =
      if refusal.code == "notAllowed" {
        .forbidden
      } else if refusal.code == Refusal.credentialEnded {
        .unauthorized
      } else if refusal.code.hasPrefix("unknown") {
        .notFound
      } else {
        .conflict
      }
    self.init(status, refusal.code, refusal.message, help: refusal.help, at: position)
  }
}
