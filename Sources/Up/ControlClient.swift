// The API of the system's own wharfd, as far as bringing it up needs it.

import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1
import Time
import Wire

struct ControlClient: Sendable {
  private static let requestSeconds: Int64 = 10
  private static let healthSeconds: Int64 = 2
  private static let retrySeconds = 30
  private static let replyLimitBytes = 1 << 20

  let url: String

  /// Whether `GET /health` answers 200.
  func isHealthy() async -> Bool {
    let request = HTTPClientRequest(url: "\(url)/health")
    let reply = try? await HTTPClient.shared.execute(
      request, timeout: .seconds(Self.healthSeconds))
    return reply?.status == .ok
  }

  /// Sends a command until it is done or refused; the same id is done once, however often it is
  /// sent.
  func send(_ call: CommandCall, token: Secret) async throws -> CommandReply {
    let deadline = clocks.now + .seconds(Self.retrySeconds)
    while true {
      do {
        return try await sendOnce(call, token: token)
      } catch let passing as Passing {
        guard clocks.now < deadline else {
          throw UpFailure(
            "cannot send \(call.command) to \(url): \(passing.reason)",
            help: "see the log of wharfd", code: .notReachable)
        }
        try await clocks.sleep(for: .milliseconds(200))
      }
    }
  }

  /// What may be otherwise in a moment.
  private struct Passing: Error { let reason: String }

  private func sendOnce(_ call: CommandCall, token: Secret) async throws -> CommandReply {
    var request = HTTPClientRequest(url: "\(url)/v1/commands")
    request.method = .POST
    request.headers.add(name: "content-type", value: "application/json")
    request.headers.add(name: "authorization", value: "Bearer \(token.text)")
    request.body = .bytes(ByteBuffer(bytes: call.jsonBytes))
    let status: HTTPResponseStatus
    let body: ByteBuffer
    do {
      let reply = try await HTTPClient.shared.execute(
        request, timeout: .seconds(Self.requestSeconds))
      status = reply.status
      body = try await reply.body.collect(upTo: Self.replyLimitBytes)
    } catch {
      throw Passing(reason: "\(error)")
    }
    let bytes = Array(body.readableBytesView)
    if status == .ok {
      return try JSONDecoding.read(
        CommandReply.self, from: JSONValue(document: bytes), strict: false)
    }
    let failure = try? JSONDecoding.read(
      ErrorReply.self, from: JSONValue(document: bytes), strict: false
    ).error
    if status == .serviceUnavailable { throw Passing(reason: failure?.message ?? "\(status)") }
    throw UpFailure(
      "\(call.command) was refused: \(failure?.message ?? "\(status)")", help: failure?.help)
  }
}
