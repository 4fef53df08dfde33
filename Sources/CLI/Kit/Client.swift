// The one HTTP client. A command is sent again with the same id when its answer was lost, so it is
// done once; every reply's head is compared with the one last seen of that log, before a command is
// sent too.

import AsyncHTTPClient
import Hosting
import NIOCore
import NIOHTTP1
import NIOPosix
import Time
import Wire

final class Client {
  static let connectSeconds: Int64 = 3
  static let answerSeconds: Int64 = 30
  /// What is only told besides is not waited for longer.
  static let signalSeconds: Int64 = 3
  /// How long a command or read is tried again while no wharfd can answer it.
  static let retrySeconds = 15.0
  /// wharfd waits out a short absence of its database; of a longer one it tells at once, and then it
  /// is tried again for this long, in case it ended just now.
  static let outageSeconds = 1.5
  static let firstPauseMilliseconds = 100
  static let longestPauseMilliseconds = 1_000
  static let replyLimitBytes = 256 << 20

  /// 503s that pass by themselves.
  private static let passing: Set<String> = [
    "noLeader", "outcomeUnknown", "unavailable", "busy", "leaderNotReachable", "starting",
    "notThereYet", "notInLog",
  ]

  let connection: Connection
  private let around: Surroundings
  private let http: HTTPClient
  private var memory: HeadMemory

  init(_ connection: Connection, _ around: Surroundings = .process) {
    self.connection = connection
    self.around = around
    memory = HeadMemory.load(around)
    http = Self.shared
  }

  private static let shared: HTTPClient = {
    var configuration = HTTPClient.Configuration()
    configuration.timeout.connect = .seconds(connectSeconds)
    configuration.timeout.read = .seconds(answerSeconds)
    configuration.redirectConfiguration = .disallow
    // A refused connection is told at once, not tried again behind our back.
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(
      eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
  }()

  /// The position that reads must be at: all that was ever seen, our own writes included.
  var seen: Position { memory.head(at: connection.api)?.position ?? .empty }

  /// `GET /v1/PATH`, its parts encoded: the body of a 200, else a failure.
  func get(_ path: String, _ query: [(String, String)] = []) async throws -> [UInt8] {
    try await persist("read \(path.shortened(to: 80))") {
      try await self.exchange(.GET, Self.url(path, query), body: nil, after: self.seen)
    }.body
  }

  /// What only a leader knows and the log does not hold: asked for once, and none where it is not told.
  func signals<Reply: Decodable>(_ type: Reply.Type, _ path: String) async -> Reply? {
    let answer = try? await exchange(
      .GET, Self.url(path, []), body: nil, after: nil, within: .seconds(Self.signalSeconds))
    guard let answer, answer.status == 200 else { return nil }
    return try? Self.decode(type, answer.body)
  }

  func read<Reply: Decodable>(
    _ type: Reply.Type, _ path: String, _ query: [(String, String)] = []
  ) async throws -> Reply {
    try Self.decode(type, await get(path, query))
  }

  /// Waits until the log is past a position, or for some seconds: wharfd holds the request for 5 s at most.
  /// That no answer came is for whoever reads next to tell.
  ///
  /// - Returns: whether it was heard.
  @discardableResult
  func wait(
    past position: Position, upTo longest: Duration = .seconds(answerSeconds)
  ) async throws -> Bool {
    do {
      _ = try await exchange(
        .GET, Self.url("whoami", []), body: nil, after: position.next,
        within: .nanoseconds(Int64(longest / .nanoseconds(1))))
      return true
    } catch is Broken {
      return false
    }
  }

  func send(_ call: CommandCall) async throws -> CommandReply {
    let body = call.jsonBytes
    guard body.count <= CommandCall.bodyLimitBytes else {
      throw Failure(
        .refused,
        "the command is \(body.count) bytes long; it may have \(CommandCall.bodyLimitBytes)",
        help: "send it in parts")
    }
    let answer = try await persist(
      "send \(call.command)",
      unknown: "send it again as the same command: --command-id \(call.id)"
    ) {
      try await self.look()
      return try await self.exchange(.POST, Self.url("commands", []), body: body, after: nil)
    }
    return try Self.decode(CommandReply.self, answer.body)
  }

  /// What commands would lead to, each on what those before it would leave.
  func dryRun(_ call: DryRunCall) async throws -> DryRunReply {
    let body = call.jsonBytes
    guard body.count <= CommandCall.bodyLimitBytes else {
      throw Failure(
        .refused,
        "the commands are \(body.count) bytes long; a dry run takes \(CommandCall.bodyLimitBytes)",
        help: "try the documents one by one")
    }
    let answer = try await persist("try out \(call.calls.count) commands") {
      try await self.exchange(.POST, Self.url("dry-run", []), body: body, after: self.seen)
    }
    return try Self.decode(DryRunReply.self, answer.body)
  }

  static func decode<Reply: Decodable>(_ type: Reply.Type, _ body: [UInt8]) throws -> Reply {
    do {
      return try JSONDecoding.read(type, from: JSONValue(document: body), strict: false)
    } catch {
      throw Failure(
        .refused, "cannot read the API's reply: \(error)",
        help: "use the wharf of the same release as the wharfd")
    }
  }
}

// MARK: Trying again

extension Client {
  /// Makes an exchange until it is answered. A connection that was never made is told at once,
  /// unless an earlier try may have been done.
  private func persist(
    _ attempt: String, unknown: String? = nil, _ exchange: () async throws -> Answer
  ) async throws -> Answer {
    var deadline = clocks.now + .seconds(Self.retrySeconds)
    var outage: Failure?
    var pause = Self.firstPauseMilliseconds
    var isOutcomeKnown = true
    let began = clocks.now
    var tries = 0
    while true {
      var problem: String
      var help: String?
      tries += 1
      do {
        let answer = try await exchange()
        if answer.status == 200 { return answer }
        let error = try Self.error(answer.body, answer.status, connection.api)
        if answer.status == 503, error.code == ErrorReply.databaseNotReachable {
          if outage == nil, isOutcomeKnown {
            deadline = min(deadline, clocks.now + .seconds(Self.outageSeconds))
          }
          outage = Failure(
            .unreachable, "cannot \(attempt): \(error.message)", help: error.help ?? Failure.unsaid)
        } else if answer.status != 429, answer.status != 503 || !Self.passing.contains(error.code) {
          throw Failure(error)
        }
        if error.code == "outcomeUnknown" || error.code == "leaderNotReachable" {
          isOutcomeKnown = false
        }
        (problem, help) = (error.message, error.help)
      } catch let broken as Broken {
        if !broken.mayHaveArrived, isOutcomeKnown { throw unreachable(broken) }
        if broken.mayHaveArrived, !broken.isLook { isOutcomeKnown = false }
        problem = broken.reason
      }
      guard clocks.now < deadline else {
        if let outage, isOutcomeKnown { throw outage }
        let told = Self.told(problem, tries, clocks.now - began)
        let help = help ?? elsewhere
        throw Failure(
          .timedOut,
          isOutcomeKnown || unknown == nil
            ? "cannot \(attempt): \(told)"
            : "cannot tell whether it was done: \(attempt): \(told)",
          help: isOutcomeKnown ? help : unknown ?? help)
      }
      try await clocks.sleep(for: .milliseconds(pause))
      pause = min(pause * 2, Self.longestPauseMilliseconds)
    }
  }

  /// Why there was no answer, and how often and for how long one was asked for.
  static func told(_ problem: String, _ tries: Int, _ elapsed: Duration) -> String {
    tries == 1 ? problem : "\(problem); tried \(tries) times in \(Elapsed.text(elapsed))"
  }

  /// What helps against a wharfd that is there and does not answer.
  private var elsewhere: String {
    "see what keeps the wharfd at \(connection.api) from it, in its log; or ask another: --api URL or WHARF_API"
  }

  private func unreachable(_ broken: Broken) -> Failure {
    Failure(
      .unreachable, "cannot reach the API at \(connection.api): \(broken.reason)",
      help: "start one with 'wharf up', or name another: --api URL or WHARF_API")
  }

  private static func error(
    _ body: [UInt8], _ status: UInt, _ api: String
  ) throws -> ErrorReply.Failure {
    guard let json = try? JSONValue(document: body),
      let reply = try? JSONDecoding.read(ErrorReply.self, from: json, strict: false)
    else { throw notWharf(api, status) }
    if status == 404, reply.error.code == ErrorReply.unknownRoute,
      let bare = Connection.withoutPath(api)
    {
      throw Failure(
        .usage, "the address \(api) has a path, and what answers there knows none such",
        help: "leave it out: --api \(bare)")
    }
    return reply.error
  }

  private static func notWharf(
    _ api: String, _ status: UInt, isGateway: Bool = false
  ) -> Failure {
    Failure(
      .unreachable,
      "what answers at \(api) is "
        + (isGateway ? "a gateway, not Wharf's API" : "not Wharf's API (status \(status))"),
      help: "name a wharfd: --api URL or WHARF_API; the usual one is \(Connection.standardAPI)")
  }
}

// MARK: One exchange

extension Client {
  struct Answer {
    let status: UInt
    let body: [UInt8]
    /// Every reply of a wharfd does; the page of a proxy before it does not.
    let namesLog: Bool
  }

  /// No answer came.
  private struct Broken: Error {
    let reason: String
    let mayHaveArrived: Bool
    /// It was no more than looking.
    var isLook = false

    init(_ error: any Error) {
      switch error {
      case let error as HTTPClientError where error == .connectTimeout:
        reason = "no connection within \(Client.connectSeconds) s"
        mayHaveArrived = false
      case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
        reason = "no answer within \(Client.answerSeconds) s"
        mayHaveArrived = true
      case let error as NIOConnectionError
      where error.dnsAError != nil && error.dnsAAAAError != nil && error.connectionErrors.isEmpty:
        reason = "no machine of the name '\(error.host.shortened(to: 80))' is known"
        mayHaveArrived = false
      case is NIOConnectionError:
        reason = "nothing answers there"
        mayHaveArrived = false
      case let error as IOError where error.errnoCode == ECONNREFUSED:
        reason = "nothing answers there"
        mayHaveArrived = false
      case let error where Self.failedTLS(error) != nil:
        reason = Self.failedTLS(error) ?? ""
        mayHaveArrived = false
      case let error as HTTPClientError where Self.neverSent.contains(error):
        reason = "\(error)"
        mayHaveArrived = false
      default:
        reason = "the connection was lost"
        mayHaveArrived = true
      }
    }

    /// No secret connection came about, so nothing was sent. Errors of the TLS library are known by their
    /// names only.
    private static func failedTLS(_ error: any Error) -> String? {
      let text = String(reflecting: error)
      guard text.contains("NIOSSL"), text.contains("handshakeFailed") else { return nil }
      if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
        return "it does not speak TLS; write http:// if it is wharfd's own port"
      }
      if text.contains("CERTIFICATE_VERIFY_FAILED") {
        return "its certificate is not trusted on this machine"
      }
      return "no TLS connection came about"
    }

    private static let neverSent: [HTTPClientError] = [
      .emptyHost, .emptyScheme, .invalidURL, .tlsHandshakeTimeout,
    ]
  }

  private static func url(_ path: String, _ query: [(String, String)]) -> String {
    let parameters = query.map { "\($0.0)=\(PathName.encoded($0.1))" }.joined(separator: "&")
    return "/v1/\(path)" + (parameters.isEmpty ? "" : "?\(parameters)")
  }

  /// Compares the log with what was seen before anything is handed over, the token included: an
  /// alarm then means that nothing was done. Where nothing was seen there is nothing to compare.
  private func look() async throws {
    guard memory.log(at: connection.api) != nil else { return }
    do {
      let answer = try await exchange(.GET, "/health", body: nil, after: nil, isLook: true)
      guard answer.namesLog else { throw Self.notWharf(connection.api, answer.status) }
    } catch var broken as Broken {
      broken.isLook = true
      throw broken
    }
  }

  func exchange(
    _ method: HTTPMethod, _ url: String, body: [UInt8]?, after: Position?, isLook: Bool = false,
    within limit: TimeAmount = .seconds(Client.answerSeconds)
  ) async throws -> Answer {
    var request = HTTPClientRequest(url: connection.api + url)
    request.method = method
    if !isLook, let token = connection.token {
      request.headers.add(name: "authorization", value: "Bearer \(token)")
    }
    if let after, after > .empty {
      request.headers.add(name: WharfHeader.after, value: "\(after)")
    }
    if let seen = memory.head(at: connection.api) {
      request.headers.add(name: WharfHeader.seen, value: seen.headerText)
    }
    if let sealed = memory.sealed(at: connection.api) {
      request.headers.add(name: WharfHeader.sealedHead, value: sealed.headerText)
    }
    if let body {
      request.headers.add(name: "content-type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: body))
    }
    let answer: HTTPClientResponse
    let bytes: [UInt8]
    do {
      answer = try await http.execute(request, timeout: limit)
      bytes = Array(buffer: try await answer.body.collect(upTo: Self.replyLimitBytes))
    } catch {
      throw Broken(error)
    }
    let status = answer.status.code
    guard let log = answer.headers.first(name: WharfHeader.log) else {
      // It says nothing of any log, so what is remembered stays. But nothing is done on its word.
      let isGateway = answer.headers.contains(name: "wharf-position")
      guard status != 200, !isGateway else {
        throw Self.notWharf(connection.api, status, isGateway: isGateway)
      }
      return Answer(status: status, body: bytes, namesLog: false)
    }
    try witness(log, answer.headers, status, bytes, after)
    return Answer(status: status, body: bytes, namesLog: true)
  }

  /// Hands over each line of a reply that goes on for ever, until it breaks. A refusal is a failure.
  func lines(
    _ path: String, _ query: [(String, String)], _ body: ([UInt8]) throws -> Void
  ) async throws {
    var request = HTTPClientRequest(url: connection.api + Self.url(path, query))
    if let token = connection.token {
      request.headers.add(name: "authorization", value: "Bearer \(token)")
    }
    guard let answer = try? await http.execute(request, deadline: .distantFuture) else { return }
    guard answer.status == .ok else {
      let bytes = Array(buffer: try await answer.body.collect(upTo: Self.replyLimitBytes))
      let error = try Self.error(bytes, answer.status.code, connection.api)
      if answer.status == .serviceUnavailable, Self.passing.contains(error.code) { return }
      throw Failure(error)
    }
    var rest: [UInt8] = []
    var parts = answer.body.makeAsyncIterator()
    while let part = try? await parts.next() {
      rest += Array(buffer: part)
      while let end = rest.firstIndex(of: 10) {
        try body(Array(rest[..<end]))
        rest.removeSubrange(...end)
      }
      guard rest.count < Self.replyLimitBytes else { return }
    }
  }

  /// Remembers which log answers here. That it is another than before is no rewrite: a new system
  /// on the same port is one. But it is told, each time it becomes another.
  private func notice(_ log: String) {
    let before = memory.log(at: connection.api)
    guard before != log else { return }
    if let before {
      let seen =
        memory.head(at: connection.api).map { ", seen up to position \($0.position)" } ?? ""
      Terminal.note(
        "note: another log answers at \(connection.api) now: \(log); before it was \(before)\(seen). "
          + "If nobody put it there on purpose, do not go on")
    }
    memory.keep(log, at: connection.api)
    memory.save(around)
  }

  /// Compares a reply's head with the one remembered of its log, and remembers it.
  private func witness(
    _ log: String, _ headers: HTTPHeaders, _ status: UInt, _ body: [UInt8], _ after: Position?
  ) throws {
    let header = headers.first(name: WharfHeader.head)
    guard let head = header.flatMap(HeadWitness.init(headerText:)) else { return notice(log) }
    let known = memory.known(of: log, at: connection.api, seeing: head.era)
    notice(log)
    let echo = headers.first(name: WharfHeader.seen).flatMap { SeenEcho(headerText: $0) }
    let sealed = headers.first(name: WharfHeader.sealedHead)
      .flatMap { SealedHead(headerText: $0) }
    let leaderLacksIt =
      status == 503 && (try? Self.error(body, status, ""))?.code == "notInLog"
    let answeredInFull = status == 200 && (after ?? .empty) >= seen
    switch HeadJudgement.of(
      head, after: known,
      mustReach: leaderLacksIt || answeredInFull,
      echo: echo)
    {
    case .known: memory.settle(head.era, at: connection.api)
    case .newer:
      memory.keep(head, of: log, at: connection.api, sealed)
      memory.save(around)
    case .newEra(let lost):
      Terminal.note(
        "note: a new era of the log began at position \(head.era): it was restored, or a standby "
          + "promoted"
          + (lost.map { "; what you saw at positions \($0) is gone from it" } ?? ""))
      memory.keep(head, of: log, at: connection.api, sealed)
      memory.save(around)
    case .rewritten(let how):
      throw Failure(
        .refused, "WARNING: the log was rewritten: \(how)",
        help: "have it checked with 'wharfd verify', and compare with a backup; if a new log was "
          + "begun at \(connection.api) on purpose: wharf login --forget")
    }
  }
}

enum PathName {
  /// A name as one part of a path, or as a parameter's value.
  static func encoded(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case 48...57, 65...90, 97...122, 45, 46, 95, 126: String(Unicode.Scalar(byte))
      default: "%" + [byte].hexadecimal.uppercased()
      }
    }.joined()
  }
}
