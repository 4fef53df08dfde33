// One try of one request at one engine: up to the first part of its answer, before anything has been
// sent to the client.

import AsyncHTTPClient
import Glibc
import HTTPTypes
import Hosting
import NIOCore
import NIOHTTP1
import NIOPosix
import Time
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
  /// It answered with a status of an error: what it was asked for is not begun, or was given up.
  case refused(EngineRefusal)
  case failed(RouteFault)
}

struct EngineCall: Sendable {
  let client: HTTPClient
  let limits: GatewayLimits
  let clocks: Clocks
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
    let waits = route.waits ?? limits.usualWaits
    let seconds = Int64(min(waits.firstByteSeconds, waits.wholeSeconds))
    do {
      let response = try await client.execute(request, timeout: .seconds(seconds))
      return try await judge(response, seconds)
    } catch {
      if Task.isCancelled { throw CancellationError() }
      return .failed(Self.fault(error))
    }
  }

  /// Only an error of making the connection shows that the engine has nothing of the request: a
  /// connection that ends after it was sent may have brought it there.
  static func fault(_ error: any Error) -> RouteFault {
    switch error {
    case let error as HTTPClientError where error == .deadlineExceeded: .slow
    case is DeadlinePassed: .slow
    case let error as HTTPClientError where error == .connectTimeout: .notReached
    case is NIOConnectionError: .notReached
    case ChannelError.connectTimeout: .notReached
    case let error as IOError where Self.connectingFails.contains(error.errnoCode): .notReached
    case HTTPParserError.headerOverflow: .strange(.headerTooLong)
    // The parser calls an end within an answer so, too.
    case let error as HTTPParserError where error != .invalidEOFState: .strange(.notHTTP)
    default: .brokeOff
    }
  }

  /// Errors that only the making of a connection meets.
  private static let connectingFails: Set<CInt> = [
    ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, ENOENT,
  ]

  /// - Parameter seconds: how long the first byte of its body may take.
  private func judge(
    _ response: HTTPClientResponse, _ seconds: Int64
  ) async throws -> EngineOutcome {
    let status = Int(response.status.code)
    guard (200...299).contains(status) else {
      // Read to its end, so that the connection can be used again.
      let body = try? await within(milliseconds: limits.engineErrorSeconds * 1_000, by: clocks) {
        [limits] in
        try await response.body.collect(upTo: limits.engineErrorBytes)
      }
      return .refused(
        EngineRefusal(
          status: status, headers: response.headers, body: body.map { Array(buffer: $0) },
          limits: limits))
    }
    let headers = Headers.reply(from: response.headers)
    // The client's deadline ends with the head, and an engine may send that at once.
    let body = EngineBody(response.body.makeAsyncIterator())
    var first =
      try await within(milliseconds: seconds * 1_000, by: clocks) { try await body.next() }
      ?? ByteBuffer()
    if isStream {
      return .reply(
        EngineReply(status: status, headers: headers, first: first, rest: body))
    }
    while first.readableBytes <= limits.bufferedReplyBytes {
      guard
        let part = try await within(
          milliseconds: seconds * 1_000, by: clocks, { try await body.next() })
      else {
        return .reply(EngineReply(status: status, headers: headers, first: first, rest: nil))
      }
      first.writeImmutableBuffer(part)
    }
    return .reply(
      EngineReply(status: status, headers: headers, first: first, rest: body))
  }
}
