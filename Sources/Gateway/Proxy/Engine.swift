// One try of one request at one engine: up to the first part of its answer, before anything has been
// sent to the client.

import AsyncHTTPClient
import HTTPTypes
import Hosting
import NIOCore
import NIOHTTP1
import Wire

/// The answer of an engine, of which nothing was sent on yet.
struct EngineReply: Sendable {
  let status: Int
  let headers: HTTPFields
  /// What has arrived of the body.
  let first: ByteBuffer
  /// Gives what follows; none when `first` is all.
  let rest: EngineBody?
}

/// What is left of an answer's body. It is read by one task after another, never by two at once.
final class EngineBody: @unchecked Sendable {
  private var iterator: HTTPClientResponse.Body.AsyncIterator

  init(_ iterator: HTTPClientResponse.Body.AsyncIterator) { self.iterator = iterator }

  func next() async throws -> ByteBuffer? { try await iterator.next() }
}

enum EngineOutcome: Sendable {
  case reply(EngineReply)
  /// It refused the connection, broke it, refused the gateway's key or failed: another may do.
  case failed(brokeConnection: Bool)
  case slow
}

struct EngineCall: Sendable {
  let client: HTTPClient
  let limits: GatewayLimits
  /// `/v1/chat/completions`
  let path: String
  let isStream: Bool

  /// Throws only when it was cancelled.
  func perform(
    _ route: PolicyRoute, headers: HTTPHeaders, body: ByteBuffer
  ) async throws(CancellationError) -> EngineOutcome {
    var request = HTTPClientRequest(url: route.endpoint + path)
    request.method = .POST
    request.headers = headers
    request.body = .bytes(body)
    do {
      let deadline = NIODeadline.now() + .seconds(limits.engineFirstByteSeconds)
      let response = try await client.execute(request, deadline: deadline)
      return try await judge(response)
    } catch {
      if Task.isCancelled { throw CancellationError() }
      if let error = error as? HTTPClientError, error == .deadlineExceeded { return .slow }
      if error is DeadlinePassed { return .slow }
      return .failed(brokeConnection: true)
    }
  }

  private func judge(_ response: HTTPClientResponse) async throws -> EngineOutcome {
    let status = Int(response.status.code)
    switch status {
    case 401, 403, 500...:
      // Read away, so that the connection can be used again.
      _ = try? await inTime { [limits] in
        try await response.body.collect(upTo: limits.engineErrorBytes)
      }
      return .failed(brokeConnection: false)
    default: break
    }
    let headers = Headers.reply(from: response.headers)
    let body = EngineBody(response.body.makeAsyncIterator())
    var first = try await inTime { try await body.next() } ?? ByteBuffer()
    if isStream && status == 200 {
      return .reply(
        EngineReply(status: status, headers: headers, first: first, rest: body))
    }
    while first.readableBytes <= limits.bufferedReplyBytes {
      guard let part = try await inTime({ try await body.next() }) else {
        return .reply(EngineReply(status: status, headers: headers, first: first, rest: nil))
      }
      first.writeImmutableBuffer(part)
    }
    return .reply(
      EngineReply(status: status, headers: headers, first: first, rest: body))
  }

  /// The client's deadline ends with the head, and an engine may send that at once.
  private func inTime<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await within(milliseconds: Int64(limits.engineFirstByteSeconds) * 1_000, work)
  }
}
