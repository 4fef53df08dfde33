// One connection of an HTTP/1 server, as a state machine: what its protocol asks for besides routes and
// answers. Each input is a method that says what is to be done; `ConnectionHandler` does it.
//
// Requests may be sent ahead of answers, so there is a line of them: the first is being answered, the
// last may still be arriving. An answer belongs to the first, always.
//
//   open ──an answer that ends the connection begins──► last ──it ends──► closing
//   open ──what arrives is no HTTP──► (what is answered, is answered) ──► closing
//
// 1. HTTP/1.0 is answered in HTTP/1.0: with a length, or by the connection's end; never in chunks.
// 2. HEAD reaches the routes as GET; of its answer only the header goes out.
// 3. `100 Continue` goes out when a body is wanted that its client holds back, and never otherwise; where
//    none was wanted the connection ends, since nobody knows what comes next on it.
// 4. A client that shuts its sending half gets its answers. Whether it is still there is found out with a
//    `100 Continue`, which any client of HTTP/1.1 passes over: one that is gone answers with a reset.

import NIOHTTP1

struct ConnectionState {
  private struct Exchange {
    let version: HTTPVersion
    let isHead: Bool
    let keepsAlive: Bool
    /// Declared, or unbounded for chunks.
    let bodyBytes: Int
    var holdsBodyBack: Bool
    var isReadToEnd = false
    var isBegun = false
  }

  private enum Failure {
    /// Within a request: whoever reads it has been told.
    case within
    /// After the last request.
    case after(ServingProblem)

    var isWithin: Bool { if case .within = self { true } else { false } }
  }

  let unreadBodyBytes: Int
  private var exchanges: [Exchange] = []
  private var failure: Failure?
  private(set) var isInputClosed = false
  /// What arrives is left of a request that was answered before it had arrived.
  private var isDiscarding = false
  /// The answer that is being written ends the connection.
  private var isLast = false
  private(set) var isClosing = false

  init(unreadBodyBytes: Int) { self.unreadBodyBytes = unreadBodyBytes }

  /// A request is on its way that has not arrived as a whole.
  var isReading: Bool { exchanges.last.map { !$0.isReadToEnd } ?? false }

  // MARK: What arrives

  /// Whether the request goes on to the routes.
  mutating func head(_ head: inout HTTPRequestHead) -> Bool {
    guard !isClosing, failure == nil else { return false }
    let expects = head.headers[canonicalForm: "expect"].contains {
      $0.lowercased() == "100-continue"
    }
    let isOneZero = head.version != .http1_1
    exchanges.append(
      Exchange(
        version: isOneZero ? .http1_0 : .http1_1, isHead: head.method == .HEAD,
        // After a change of protocols that was not made the parser reads no further.
        keepsAlive: head.isKeepAlive && !head.headers.contains(name: "upgrade")
          && head.method != .CONNECT,
        bodyBytes: Self.bodyBytes(head.headers), holdsBodyBack: expects && !isOneZero))
    if head.method == .HEAD { head.method = .GET }
    return true
  }

  private static func bodyBytes(_ headers: HTTPHeaders) -> Int {
    if headers.contains(name: "transfer-encoding") { return .max }
    return headers.first(name: "content-length").map { Int($0) ?? .max } ?? 0
  }

  /// Whether it goes on.
  mutating func bodyPart() -> Bool {
    guard !isClosing, !isDiscarding, !exchanges.isEmpty else { return false }
    exchanges[exchanges.count - 1].holdsBodyBack = false
    return true
  }

  /// Whether it goes on.
  mutating func requestEnd() -> Bool {
    guard !isClosing, !isDiscarding, !exchanges.isEmpty else {
      isDiscarding = false
      return false
    }
    exchanges[exchanges.count - 1].holdsBodyBack = false
    exchanges[exchanges.count - 1].isReadToEnd = true
    return true
  }

  /// A route wants the body of the request that is being answered. Returns whether its client is to be
  /// asked for it.
  mutating func wantsBody() -> Bool {
    guard let first = exchanges.first, first.holdsBodyBack, !first.isBegun else { return false }
    exchanges[0].holdsBodyBack = false
    return true
  }

  enum AfterError: Equatable {
    /// Whoever reads the request is told.
    case passOn
    case answer(ServingProblem)
    case close
    case nothing
  }

  mutating func error(_ problem: ServingProblem) -> AfterError {
    guard !isClosing, failure == nil else { return .nothing }
    if isDiscarding {
      isClosing = true
      return .close
    }
    if isReading {
      failure = .within
      exchanges[exchanges.count - 1].holdsBodyBack = false
      return .passOn
    }
    guard exchanges.isEmpty else {
      failure = .after(problem)
      return .nothing
    }
    isClosing = true
    return .answer(problem)
  }

  /// The client shut its sending half, or is gone. Returns whether to find out which.
  mutating func inputClosed() -> Bool {
    isInputClosed = true
    guard let first = exchanges.first else { return false }
    return first.isReadToEnd && !first.isBegun && first.version == .http1_1
  }

  // MARK: What goes out

  enum Head: Equatable {
    case write
    /// Its client asked for no more than the header, and the body has no end that is known.
    case writeAndClose
    case drop
  }

  /// Gives an answer its framing.
  mutating func answerHead(_ head: inout HTTPResponseHead) -> Head {
    guard !isClosing, let exchange = exchanges.first else { return .drop }
    if (100..<200).contains(head.status.code) {
      return exchange.version == .http1_1 ? .write : .drop
    }
    exchanges[0].isBegun = true
    head.version = exchange.version
    let hasBody = head.status.mayHaveResponseBody
    var hasLength = head.headers.contains(name: "content-length")
    if !hasBody, head.status != .notModified {
      head.headers.remove(name: "content-length")
      hasLength = false
    }
    let isStream = hasBody && !hasLength
    head.headers.remove(name: "transfer-encoding")
    if isStream, !exchange.isHead, exchange.version == .http1_1 {
      head.headers.add(name: "transfer-encoding", value: "chunked")
    }
    // Requests that were sent ahead are answered all the same.
    let isCutShort = exchanges.count == 1 && (isInputClosed || failure?.isWithin ?? false)
    let hasUnread =
      !exchange.isReadToEnd && (exchange.holdsBodyBack || exchange.bodyBytes > unreadBodyBytes)
    let asksForEnd = head.headers[canonicalForm: "connection"].contains {
      $0.lowercased() == "close"
    }
    let endsWithConnection = isStream && (exchange.isHead || exchange.version == .http1_0)
    isLast =
      !exchange.keepsAlive || isCutShort || hasUnread || asksForEnd || endsWithConnection
    head.headers.remove(name: "connection")
    if isLast {
      head.headers.add(name: "connection", value: "close")
    } else if exchange.version == .http1_0 {
      head.headers.add(name: "connection", value: "keep-alive")
    }
    guard exchange.isHead, isStream else { return .write }
    isClosing = true
    return .writeAndClose
  }

  /// Whether it goes out.
  var writesBody: Bool { !isClosing && exchanges.first.map { !$0.isHead } ?? false }

  enum End: Equatable {
    case write
    /// What is left of the request's body may arrive for a while.
    case writeAndAwaitRest
    case writeAndClose
    case writeAndAnswer(ServingProblem)
    case drop
  }

  mutating func answerEnd() -> End {
    guard !isClosing, !exchanges.isEmpty else { return .drop }
    let exchange = exchanges.removeFirst()
    if isLast {
      isClosing = true
      return .writeAndClose
    }
    if exchanges.isEmpty, case .after(let problem) = failure {
      isClosing = true
      return .writeAndAnswer(problem)
    }
    guard exchange.isReadToEnd else {
      isDiscarding = true
      return .writeAndAwaitRest
    }
    return .write
  }
}
