// Sending a request on to the leader, as it came, and what only a leader may say: the leader authenticates
// the same token anew. A request goes on once only: two that take each other for the leader would otherwise
// pass it to and fro.

import AsyncHTTPClient
import EventLog
import HTTPTypes
import Hosting
import Hummingbird
import NIOCore
import NIOHTTP1
import Time
import Wire

struct Forwarding: Sendable {
  /// How long the leader may take for its whole answer.
  static let usualAnswerMilliseconds: Int64 = 15_000
  /// The answer may be this long; it is held here as a whole. A command of a mebibyte may lead to many
  /// events that each repeat much of it.
  static let replyLimitBytes = 64 << 20

  /// Finds out at once that nobody listens where the leader was, rather than try for all that time.
  private static let client: HTTPClient = {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(
      eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
  }()

  let member: LogMember
  var answerMilliseconds = usualAnswerMilliseconds
  /// A wharfd that was not in touch with the log for so long gives nothing out.
  var touchSeconds = Double(Leases.touchSeconds)

  /// Where the leader is, when this wharfd is not it.
  ///
  /// - Throws: when nobody is known to lead. What only a leader may say, such as an agent's lease, is then
  ///   said by nobody.
  func leaderElsewhere() throws -> String? {
    switch member.board.current.standing {
    case .following(let address?): return address
    case .following(nil): throw APIError(SubmitFailure.notLeading(address: nil))
    case .leading, .starting: return nil
    }
  }

  /// Leases are the leader's to give, while it is in touch with the log: one that was deposed unawares
  /// must not keep a gateway serving what another leader revoked, nor a node running what another
  /// leader has placed elsewhere.
  func requireLead(_ head: Head) throws {
    guard case .leading = member.board.current.standing else {
      throw APIError(SubmitFailure.notLeading(address: nil))
    }
    try requireTouch(head)
  }

  func requireTouch(_ head: Head) throws {
    guard member.isInTouch(withinSeconds: touchSeconds) else {
      throw APIError(
        .serviceUnavailable, "outOfTouch", "this wharfd cannot reach the log: no lease is given",
        help: "ask another wharfd, or bring the database back", at: head.state.position)
    }
  }

  /// - Parameter waitSeconds: how long the leader may wait for news, besides.
  func send(
    _ body: [UInt8], _ request: Request, to address: String, waitSeconds: Int = 0
  ) async throws -> Response {
    if let name = HTTPField.Name(WharfHeader.forwarded), request.headers[name] != nil {
      throw APIError(
        .serviceUnavailable, "noLeader",
        "another wharfd took this one for the leader, and sent the request on to it; nothing was done",
        help: "try again in a moment; if it stays so, look whether two wharfd have one address")
    }
    var onward = HTTPClientRequest(url: address + request.uri.string)
    onward.method = HTTPMethod(rawValue: request.method.rawValue)
    onward.headers.add(name: "content-type", value: "application/json")
    onward.headers.add(name: "authorization", value: request.headers[.authorization] ?? "")
    onward.headers.add(name: WharfHeader.forwarded, value: "1")
    if let name = HTTPField.Name(WharfHeader.nonce), let nonce = request.headers[name] {
      onward.headers.add(name: WharfHeader.nonce, value: nonce)
    }
    onward.body = .bytes(body)
    let limit = answerMilliseconds + Int64(waitSeconds) * 1_000
    do {
      let (answer, bytes) = try await answer(to: onward, from: address, withinMilliseconds: limit)
      var headers: HTTPFields = [.contentType: "application/json"]
      // A leader of before seals nothing, and its word is not sealed in its place.
      if let name = HTTPField.Name(WharfHeader.sealedHead) { headers[name] = SealedHead.none }
      for passed in [WharfHeader.head, WharfHeader.sealedHead, WharfHeader.proof] {
        if let name = HTTPField.Name(passed), let value = answer.headers.first(name: passed) {
          headers[name] = value
        }
      }
      return Response(
        status: .init(code: Int(answer.status.code)), headers: headers,
        body: ResponseBody(byteBuffer: bytes))
    } catch is NIOTooManyBytesError {
      throw APIError(
        .badGateway, "replyTooLong",
        "the request was sent on to the leader at \(address), which took it and answered with more than "
          + "\(Self.replyLimitBytes) bytes",
        help: "send it to the leader itself; a command, with the same id: it is done once")
    } catch {
      let what = error is Deposed ? "which leads no more" : "which did not answer"
      throw APIError(
        .serviceUnavailable, "leaderNotReachable",
        "the request was sent on to the leader at \(address), \(what)",
        help: "send it again; a command, with the same id: it is done once")
    }
  }

  private struct Deposed: Error {}

  /// The whole answer; given up as soon as somebody else leads: who stands still answers nothing, and
  /// who took over can be asked long before the time is over.
  private func answer(
    to onward: HTTPClientRequest, from address: String, withinMilliseconds limit: Int64
  ) async throws -> (HTTPClientResponse, ByteBuffer) {
    let board = member.board
    return try await within(milliseconds: limit, by: member.clocks) {
      try await withThrowingTaskGroup(of: (HTTPClientResponse, ByteBuffer)?.self) { group in
        defer { group.cancelAll() }
        group.addTask {
          let answer = try await Self.client.execute(onward, timeout: .milliseconds(limit))
          return (answer, try await answer.body.collect(upTo: Self.replyLimitBytes))
        }
        group.addTask {
          let head = await board.wait(
            for: .leader(otherThan: address), upTo: .milliseconds(limit))
          if head != nil { throw Deposed() }
          return nil
        }
        while let answer = try await group.next() {
          if let answer { return answer }
        }
        throw CancellationError()
      }
    }
  }

  /// The whole body, up to the limit.
  static func body(of request: Request) async throws -> [UInt8] {
    do {
      return Array(
        buffer: try await request.body.collect(upTo: CommandCall.bodyLimitBytes))
    } catch is NIOTooManyBytesError {
      throw APIError.bodyTooLarge(CommandCall.bodyLimitBytes)
    }
  }
}
