// Answers to agents: each proves that it was made by a wharfd, for this very question; and the one that
// says that the node was removed, which is told to whoever had the node's credential.

import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import Wire

struct ProvedAnswer: Sendable {
  let board: HeadBoard

  /// Answers an agent. One whose credential the log took back with its node is told so.
  func answer(
    _ request: Request, _ make: () async throws -> (response: Response, body: [UInt8]?)
  ) async throws -> Response {
    do {
      let (response, body) = try await make()
      return body.map { proved(response, $0, for: request) } ?? response
    } catch let error as APIError where error.failure.code == Authentication.unknownToken {
      guard let removed = removal(of: request) else { throw error }
      return removed
    }
  }

  private func removal(of request: Request) -> Response? {
    let head = board.current
    guard let digest = Self.credential(of: request), let removal = head.state.removal(of: digest)
    else { return nil }
    let body = NodeRemovedReply(
      node: removal.node, position: removal.position, head: head.witness
    ).jsonBytes
    var response = Response.json(body, head: head)
    response.status = .gone
    return proved(response, body, for: request)
  }

  private func proved(_ response: Response, _ body: [UInt8], for request: Request) -> Response {
    guard let proof = HTTPField.Name(WharfHeader.proof),
      let nonce = HTTPField.Name(WharfHeader.nonce).flatMap({ request.headers[$0] }),
      nonce.utf8.count <= AnswerProof.longestNonce, let credential = Self.credential(of: request)
    else { return response }
    let head = HTTPField.Name(WharfHeader.head).flatMap { response.headers[$0] } ?? ""
    var response = response
    response.headers[proof] =
      AnswerProof.of(
        status: Int(response.status.code), head: head, body: body, nonce: nonce,
        credential: credential
      ).description
    return response
  }

  private static func credential(of request: Request) -> Digest? {
    request.headers[.authorization].flatMap { Authentication.digest(in: $0) }
  }
}
