// Whose request it is, is asked before a byte of its body is read: who shows no good token is told so at
// once. The bodies of the others are read within what is left of the budget, and held until the answer.
// Processes of a removed gateway count as strangers, and are heard: that one of them left ends a wait.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import Wire

struct TokenFirst<Context: RequestContext>: RouterMiddleware {
  /// An agent that joins again, since it did not hear the answer, comes with a token that is spent. Its
  /// credential tells it, which stands in the body.
  static var joinPath: String { "/v1/agent/join" }
  /// What an agent tells of itself when it joins, with as many devices as a node may have.
  static var joinBytes: Int { 256 << 10 }

  let source: ReadSource
  let bodies: BodyBudget

  func handle(
    _ request: Request, context: Context,
    next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    guard request.method == .post else { return try await next(request, context) }
    let sender = try await sender(of: request)
    let limit = sender == .stranger ? Self.joinBytes : CommandCall.bodyLimitBytes
    if let told = request.headers[.contentLength].flatMap({ Int($0) }), told > limit {
      throw APIError.bodyTooLarge(limit)
    }
    var (request, held) = (request, 0)
    defer { bodies.giveBack(held, of: sender) }
    var body = ByteBuffer()
    for try await var part in request.body {
      let bytes = part.readableBytes
      guard held + bytes <= limit else { throw APIError.bodyTooLarge(limit) }
      guard bodies.take(bytes, for: sender) else { throw Self.noRoom(for: sender) }
      held += bytes
      body.writeBuffer(&part)
    }
    request.body = RequestBody(buffer: body)
    return try await next(request, context)
  }

  private func sender(of request: Request) async throws -> BodyBudget.Sender {
    let head = try await source.head(atLeast: .empty)
    do {
      return .init(try source.authentication.principal(of: request, in: head.state))
    } catch let error as APIError where error.status == .unauthorized {
      // A follower may not know the token yet. The leader does, to whom this is sent on.
      if case .following = head.standing, error.failure.code == Authentication.unknownToken {
        return .stranger
      }
      let isJoining =
        request.uri.path == Self.joinPath && request.headers[.authorization] != nil
      guard isJoining || !head.state.removedProcesses(of: request).isEmpty else { throw error }
      return .stranger
    }
  }

  private static func noRoom(for sender: BodyBudget.Sender) -> APIError {
    let (whose, help) =
      switch sender {
      case .stranger: ("without a good token", "try again in a moment")
      case .person: ("of this person", "send fewer at once, or try again in a moment")
      case .machineOrAdmin: ("of all that ask", "try again in a moment")
      }
    return APIError(
      .tooManyRequests, "tooManyBytes",
      "the bodies of the requests \(whose) that are under way are as much as is held at once; nothing "
        + "was done", help: help)
  }
}

extension APIError {
  static func bodyTooLarge(_ limit: Int) -> APIError {
    APIError(
      .contentTooLarge, "bodyTooLarge", "the body of this request is longer than \(limit) bytes",
      help: "send it in parts")
  }
}
