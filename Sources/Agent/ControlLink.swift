// The way to the control plane: outbound only, several addresses, every wait bounded. It says when
// each answered request had been sent, since leases count from there.

import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1
import Synchronization
import Time
import Wire

package final class ControlLink: Sendable {
  package static let requestTimeoutSeconds: Int64 = 10
  package static let longPollSeconds = 25
  private static let longestReplyBytes = 16 << 20
  private static let longestComplaintBytes = 4 << 10

  package struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
      case unreachable
      /// Somebody is there, and no whole answer came in time.
      case late
      /// The bearer is not known there.
      case unauthorized
      /// Answered, and not done.
      case refused(status: Int)
      /// Answered with what is no reply of a control plane.
      case malformed
      /// Answered by somebody who does not show that this agent's control plane answers.
      case unproved
      /// The proved word that the node was removed. It stops engines only where the log that it is
      /// taken from is believed.
      case removed(NodeRemovedReply)
    }
    package let kind: Kind
    package let description: String
    /// What the log of whoever refused holds at the position that was named as seen.
    package var echo: SeenEcho?

    /// How much it speaks for somebody in between who meddles: a wharfd that is there, and knows this agent,
    /// does not answer so. What it does refuse is a question that it cannot read or that is too long, one of
    /// another agent, one too many.
    package var oddness: Int {
      switch kind {
      case .unreachable: 0
      case .unauthorized, .unproved, .malformed, .removed: 1
      case .refused(let status):
        (400..<500).contains(status) && ![400, 408, 409, 413, 429].contains(status) ? 1 : 0
      // It took long.
      case .late: 2
      }
    }

    /// Trying again with the same request may help.
    package var mayPass: Bool {
      switch kind {
      case .unreachable, .late, .malformed, .unproved: true
      case .unauthorized, .removed: false
      case .refused(let status): status >= 500 || status == 429 || status == 408
      }
    }
  }

  package struct Answer<Value: Sendable>: Sendable {
    package var value: Value
    package var sentAt: BootTime
    /// The head that the answer was made from, where it came with one.
    package var head: HeadWitness?
    /// What the log holds at the position that was named as seen.
    package var echo: SeenEcho?
    /// To be shown to whoever may know less.
    package var sealed: SealedHead?
  }

  /// What was seen of the log, as requests say it.
  package struct Seen: Sendable {
    package var head: HeadWitness?
    package var sealed: SealedHead?

    package init(head: HeadWitness? = nil, sealed: SealedHead? = nil) {
      self.head = head
      self.sealed = sealed
    }
  }

  private let client: HTTPClient
  private let servers: [String]
  private let bearer: String
  private let replySeconds: Int64
  private let clocks: Clocks
  /// Of the credential, where answers are to prove themselves by it.
  private let proof: Digest?
  /// The server that answered last.
  private let preferred = Atomic<Int>(0)
  /// The long poll under way, and at which of the servers.
  private let polling = Mutex<(server: Int, giveUp: @Sendable () -> Void)?>(nil)

  /// - Parameters:
  ///   - servers: URLs without a path; at least one.
  ///   - isCredential: whether the bearer is the credential of a node: then every answer must prove
  ///     that a wharfd of the node's own system made it. A join token is none.
  ///   - replySeconds: what a whole answer may take, apart from a wait that was asked for.
  package init(
    client: HTTPClient, servers: [String], bearer: String, isCredential: Bool = true,
    replySeconds: Int64 = ControlLink.requestTimeoutSeconds, clocks: Clocks = .system
  ) {
    precondition(!servers.isEmpty, "a control link needs a server")
    self.client = client
    self.servers = servers.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    self.bearer = bearer
    proof = isCredential ? Credential(secret: bearer).digest : nil
    self.replySeconds = replySeconds
    self.clocks = clocks
  }

  // MARK: - Routes

  package func join(_ request: JoinRequest) async throws(Problem) -> JoinReply {
    try await post("/v1/agent/join", request.jsonBytes, Seen(), JoinReply.self).value
  }

  /// - Returns: an assignment newer than `generation`, or nil when there is none within the wait.
  package func assignment(
    after generation: Position, waitSeconds: Int, seen: Seen = Seen()
  ) async throws(Problem) -> Answer<Assignment?> {
    let reply = try await poll(
      "/v1/agent/assignment?after=\(generation)&wait=\(waitSeconds)", seen,
      timeoutSeconds: Int64(waitSeconds) + replySeconds)
    if reply.value.status == 204 { return reply.with(nil) }
    return reply.with(try Self.read(Assignment.self, reply.value.body, reply.value.server))
  }

  package func report(
    _ observation: Observation, seen: Seen = Seen()
  ) async throws(Problem) -> Answer<ReportReply> {
    try await post("/v1/agent/report", observation.jsonBytes, seen, ReportReply.self)
  }

  package func heartbeat(
    _ heartbeat: Heartbeat, seen: Seen = Seen()
  ) async throws(Problem) -> Answer<HeartbeatReply> {
    try await post("/v1/agent/heartbeat", heartbeat.jsonBytes, seen, HeartbeatReply.self)
  }

  // MARK: - Exchange

  private struct Reply: Sendable {
    var status: Int
    var body: [UInt8]
    var server: String
  }

  private func post<Value: JSONRecord & Sendable>(
    _ path: String, _ body: [UInt8], _ seen: Seen, _ type: Value.Type
  ) async throws(Problem) -> Answer<Value> {
    let reply = try await exchange(
      .POST, path, body, seen, timeoutSeconds: replySeconds)
    return reply.with(try Self.read(type, reply.value.body, reply.value.server))
  }

  private static func read<Value: JSONRecord>(
    _ type: Value.Type, _ body: [UInt8], _ server: String
  ) throws(Problem) -> Value {
    do { return try Value(lenientJSON: body) } catch {
      throw Problem(
        kind: .malformed,
        description: "\(server) answered with what is no \(Value.self): \(error)")
    }
  }

  /// A server that is stopped would keep a poll to its end. Once another one answers the news are there.
  private func poll(
    _ path: String, _ seen: Seen, timeoutSeconds: Int64
  ) async throws(Problem) -> Answer<Reply> {
    let server = preferred.load(ordering: .relaxed)
    let task = Task { () async -> Result<Answer<Reply>, Problem> in
      do throws(Problem) {
        return .success(
          try await exchange(.GET, path, nil, seen, timeoutSeconds: timeoutSeconds))
      } catch {
        return .failure(error)
      }
    }
    polling.withLock { $0 = (server, { task.cancel() }) }
    defer { polling.withLock { $0 = nil } }
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    if case .failure = result, task.isCancelled, !Task.isCancelled {
      throw Problem(
        kind: .unreachable,
        description: "\(servers[server]) did not answer while another control plane did")
    }
    return try result.get()
  }

  private func exchange(
    _ method: HTTPMethod, _ path: String, _ body: [UInt8]?, _ seen: Seen,
    timeoutSeconds: Int64
  ) async throws(Problem) -> Answer<Reply> {
    let index = preferred.load(ordering: .relaxed)
    let server = servers[index]
    do {
      let answer = try await send(method, server, path, body, seen, timeoutSeconds)
      polling.withLock { if let poll = $0, poll.server != index { poll.giveUp() } }
      return answer
    } catch {
      // Another one may do better; whoever fails first moves on for all.
      if error.mayPass || error.kind == .unauthorized {
        _ = preferred.compareExchange(
          expected: index, desired: (index + 1) % servers.count, ordering: .relaxed)
      }
      throw error
    }
  }

  private func send(
    _ method: HTTPMethod, _ server: String, _ path: String, _ body: [UInt8]?, _ seen: Seen,
    _ timeoutSeconds: Int64
  ) async throws(Problem) -> Answer<Reply> {
    var request = HTTPClientRequest(url: server + path)
    request.method = method
    request.headers.add(name: "authorization", value: "Bearer \(bearer)")
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(body)
    }
    if let head = seen.head {
      request.headers.add(name: WharfHeader.seen, value: head.headerText)
    }
    if let sealed = seen.sealed {
      request.headers.add(name: WharfHeader.sealedHead, value: sealed.headerText)
    }
    let nonce = nonce()
    if proof != nil { request.headers.add(name: WharfHeader.nonce, value: nonce) }
    let sentAt = clocks.bootTime
    let status: Int
    let content: [UInt8]
    let headers: HTTPHeaders
    do {
      (status, headers, content) = try await within(milliseconds: timeoutSeconds * 1000, by: clocks)
      {
        [client, request] in
        let response = try await client.execute(request, timeout: .seconds(timeoutSeconds))
        let status = Int(response.status.code)
        let longest = status < 300 ? Self.longestReplyBytes : Self.longestComplaintBytes
        let body = try await response.body.collect(upTo: longest)
        return (status, response.headers, Array(buffer: body))
      }
    } catch {
      throw Problem(
        kind: Self.isLate(error) ? .late : .unreachable,
        description: "cannot reach the control plane at \(server): \(error)")
    }
    let isProved = proof.map { Self.proves(headers, status, content, nonce, $0) } ?? true
    if (200..<300).contains(status) {
      guard isProved else { throw Self.unproved(server, path) }
      return Answer(
        value: Reply(status: status, body: content, server: server), sentAt: sentAt,
        head: headers.first(name: WharfHeader.head).flatMap { HeadWitness(headerText: $0) },
        echo: headers.first(name: WharfHeader.seen).flatMap { SeenEcho(headerText: $0) },
        sealed: headers.first(name: WharfHeader.sealedHead)
          .flatMap { SealedHead(headerText: $0) })
    }
    if status == Self.goneStatus, isProved, proof != nil,
      let removal = try? NodeRemovedReply(lenientJSON: content)
    {
      throw Problem(
        kind: .removed(removal), description: "\(server) says that the node was removed",
        echo: headers.first(name: WharfHeader.seen).flatMap { SeenEcho(headerText: $0) })
    }
    var problem = Self.complaint(status, content, server, path)
    problem.echo = headers.first(name: WharfHeader.seen).flatMap { SeenEcho(headerText: $0) }
    throw problem
  }

  private static func isLate(_ error: any Error) -> Bool {
    if error is DeadlinePassed { return true }
    return [.deadlineExceeded, .readTimeout].contains(error as? HTTPClientError)
  }

  private static let goneStatus = 410

  private func nonce() -> String {
    let random = clocks.random
    return String(random.next(), radix: 16) + String(random.next(), radix: 16)
  }

  private static func proves(
    _ headers: HTTPHeaders, _ status: Int, _ body: [UInt8], _ nonce: String, _ credential: Digest
  ) -> Bool {
    let expected = AnswerProof.of(
      status: status, head: headers.first(name: WharfHeader.head) ?? "", body: body, nonce: nonce,
      credential: credential)
    return headers.first(name: WharfHeader.proof) == expected.description
  }

  private static func unproved(_ server: String, _ path: String) -> Problem {
    let route = path.prefix { $0 != "?" }
    return Problem(
      kind: .unproved,
      description:
        "\(server) answered \(route) without the proof that this agent's control plane made the "
        + "answer: something in between answers in its place or changes what it says, or that wharfd "
        + "is older than this agent")
  }

  private static func complaint(
    _ status: Int, _ content: [UInt8], _ server: String, _ path: String
  ) -> Problem {
    if status == 401 {
      return Problem(
        kind: .unauthorized,
        description:
          "\(server) does not know this agent (401), and does not prove that its node was removed. "
          + "Engines serve on, and nothing is changed. See whether something in between takes the "
          + "header 'Authorization' away; if the data folder belongs to another system, join again "
          + "with a new token and an empty data folder"
      )
    }
    let said = String(decoding: content, as: UTF8.self).onOneLine(longest: 300)
    let route = path.prefix { $0 != "?" }
    return Problem(
      kind: .refused(status: status),
      description: "\(server) answered \(route) with \(status)" + (said.isEmpty ? "" : ": \(said)"))
  }
}

extension ControlLink.Answer {
  fileprivate func with<Other: Sendable>(_ value: Other) -> ControlLink.Answer<Other> {
    ControlLink.Answer<Other>(value: value, sentAt: sentAt, head: head, echo: echo, sealed: sealed)
  }
}
