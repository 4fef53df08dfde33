// A server with these manners, met by clients that write bytes, and by curl and Python.

import Dispatch
import Foundation
import HTTPServing
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TestTools
import Testing

/// A server that gives back what it was sent; `/held` answers once it is told to.
final class Server: Sendable {
  let book: ConnectionBook
  let limits: ServingLimits
  let origins: [String]
  private let released = Mutex(false)
  private let gone = Mutex(0)
  var goneCount: Int { gone.withLock { $0 } }
  /// Requests that are answered once it is told to, so far.
  private let held = Mutex(0)
  var heldCount: Int { held.withLock { $0 } }

  init(_ limits: ServingLimits = ServingLimits(), origins: [String] = []) {
    self.limits = limits
    self.origins = origins
    book = ConnectionBook(limits)
  }

  func release() { released.withLock { $0 = true } }

  struct Context: InitializableFromSource {
    let channel: any Channel
    init(source: ApplicationRequestContextSource) { channel = source.channel }
  }

  private func respond(_ request: Request, _ context: Context) async throws -> Response {
    switch (request.method, request.uri.path) {
    case (.get, "/"): return text("hello")
    case (.get, "/stream"):
      return Response(
        status: .ok,
        body: ResponseBody { writer in
          for number in 0..<3 { try await writer.write(ByteBuffer(string: "part \(number) ")) }
          try await writer.finish(nil)
        })
    case (.get, "/endless"):
      return Response(
        status: .ok,
        body: ResponseBody { writer in
          while true {
            try await writer.write(ByteBuffer(string: "x"))
            try await Task.sleep(for: .milliseconds(10))
          }
        })
    case (.get, "/held"):
      book[context.channel]?.whenGone { self.gone.withLock { $0 += 1 } }
      held.withLock { $0 += 1 }
      while !released.withLock({ $0 }), goneCount == 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      book[context.channel]?.whenGone(nil)
      return text("held")
    case (.get, "/known"):
      book[context.channel]?.isKnown(true)
      return text("known")
    case (.post, "/echo"):
      do {
        let body = try await request.body.collect(upTo: 1 << 20)
        return text(String(buffer: body))
      } catch let problem as ServingProblem {
        return Response(problem, Self.form(limits))
      }
    case (.post, "/refused"): return text("no", .unauthorized)
    default: return Response(.wrongMethod(allowed: "GET, HEAD, POST"), Self.form(limits))
    }
  }

  private func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
    Response(status: status, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }

  static func form(_ limits: ServingLimits) -> ProblemForm {
    { ("text/plain", Array("\($0.code): \($0.message(limits))".utf8)) }
  }

  /// Serves at a free port, which the body is given, while it runs.
  func serving(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
    let form = Self.form(limits)
    let crossOrigin =
      origins.isEmpty ? nil : try CrossOrigin(origins: origins, exposing: ["x-request-id"])
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let responder = CallbackResponder<Context> { [self] in try await respond($0, $1) }
    let application = Application(
      responder: MannersResponder(
        responder, crossOrigin: crossOrigin, methods: "GET, HEAD, POST", form: form),
      server: .serving(limits, book, form: form),
      configuration: .init(
        address: .hostname("127.0.0.1", port: 0),
        availableConnectionsDelegate: .maximum(limits.connections, logger: logger)),
      onServerRunning: { found.yield($0.localAddress!.port!) }, logger: logger)
    try await withThrowingTaskGroup { group in
      group.addTask { try await application.run() }
      group.addTask {
        for await port in ports {
          try await body(port)
          return
        }
      }
      _ = try await group.next()
      group.cancelAll()
    }
  }
}

@Suite(.bounded) struct ServerTests {
  @Test func `a body that is held back is asked for, and answered`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("POST /echo HTTP/1.1\nhost: x\nexpect: 100-continue\ncontent-length: 5\n\n")
      #expect(try await client.received(with: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      client.send("hello")
      #expect(try await client.received(with: "hello").contains("HTTP/1.1 200 OK"))
      client.send("GET / HTTP/1.1\nhost: x\nconnection: close\n\n")
      #expect(try await client.whole().components(separatedBy: "HTTP/1.1 ").count == 4)
    }
  }

  @Test func `a body that is held back and not wanted is not asked for`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("POST /refused HTTP/1.1\nhost: x\nexpect: 100-continue\ncontent-length: 5\n\n")
      let answer = try await client.whole()
      #expect(answer.hasPrefix("HTTP/1.1 401"))
      #expect(answer.contains("connection: close"))
    }
  }

  @Test func `HEAD is answered as GET, without a body`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("HEAD / HTTP/1.1\nhost: x\n\nGET / HTTP/1.1\nhost: x\nconnection: close\n\n")
      let answers = try await client.whole()
      #expect(answers.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
      #expect(answers.lowercased().components(separatedBy: "content-length: 5").count == 3)
      #expect(answers.components(separatedBy: "hello").count == 2)
      for path in ["/stream", "/endless"] {
        let client = try RawClient(port: port)
        client.send("HEAD \(path) HTTP/1.1\nhost: x\n\n")
        let answer = try await client.whole()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK") && answer.hasSuffix("\r\n\r\n"))
      }
    }
  }

  @Test func `HTTP 1.0 gets no chunks`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("GET /stream HTTP/1.0\n\n")
      let answer = try await client.whole()
      #expect(answer.hasPrefix("HTTP/1.0 200 OK"))
      #expect(!answer.contains("chunked"))
      #expect(answer.hasSuffix("\r\n\r\npart 0 part 1 part 2 "))
      let kept = try RawClient(port: port)
      kept.send("GET / HTTP/1.0\nconnection: keep-alive\n\n")
      _ = try await kept.received(with: "hello")
      kept.send("GET / HTTP/1.0\n\n")
      #expect(try await kept.whole().components(separatedBy: "hello").count == 3)
    }
  }

  @Test(arguments: [
    "x: \(String(repeating: "x", count: 20_000))",
    (0..<40).map { "x\($0): \(String(repeating: "x", count: 1000))" }.joined(separator: "\n"),
    (0..<101).map { "x\($0): y" }.joined(separator: "\n"),
  ]) func `a header that is too long is told so`(_ header: String) async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\nhost: x\n\(header)\n\n")
      let answer = try await client.whole()
      #expect(answer.hasPrefix("HTTP/1.1 431"))
      #expect(answer.contains("header_too_long"))
      #expect(!client.isReset)
    }
  }

  @Test func `what is no HTTP is told so, after what was asked before`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\nhost: x\n\nwhat?\n\n")
      let answers = try await client.whole()
      #expect(answers.hasPrefix("HTTP/1.1 200 OK"))
      #expect(answers.contains("hello"))
      #expect(answers.components(separatedBy: "HTTP/1.1 400").count == 2)
    }
  }

  @Test func `a body that breaks off is told so`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("POST /echo HTTP/1.1\nhost: x\ntransfer-encoding: chunked\n\nnonsense\n")
      #expect(try await client.whole().components(separatedBy: "HTTP/1.1 400").count == 2)
    }
  }

  @Test func `who shut its sending half gets its answer`() async throws {
    let server = Server()
    try await server.serving { port in
      let client = try RawClient(port: port)
      client.send("GET /held HTTP/1.1\nhost: x\n\n")
      client.shutSendingHalf()
      _ = try await client.received(with: "HTTP/1.1 100 Continue\r\n\r\n")
      server.release()
      #expect(try await client.whole().hasSuffix("held"))
      #expect(server.goneCount == 0)
    }
  }

  @Test func `who is gone is found out`() async throws {
    let server = Server()
    try await server.serving { port in
      let client = try RawClient(port: port)
      client.send("GET /held HTTP/1.1\nhost: x\n\n")
      try await eventually("it is asked") { server.heldCount == 1 }
      client.close()
      try await eventually("the client is missed") { server.goneCount == 1 }
    }
  }

  @Test func `a body that does not come in time is told so`() async throws {
    var limits = ServingLimits()
    limits.requestSeconds = 1
    try await Server(limits).serving { port in
      let client = try RawClient(port: port)
      client.send("POST /echo HTTP/1.1\nhost: x\ncontent-length: 5\n\nhe")
      #expect(try await client.whole().hasPrefix("HTTP/1.1 408"))
    }
  }

  @Test func `a header that does not come in time ends the connection`() async throws {
    var limits = ServingLimits()
    limits.firstHeadSeconds = 1
    try await Server(limits).serving { port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\nx: ")
      #expect(try await client.whole() == "")
    }
  }

  @Test(arguments: ["", "host: a\nhost: b\n", "host: a\nhost: a\n"])
  func `a request of HTTP/1.1 names one host, once`(hosts: String) async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\n\(hosts)\nGET / HTTP/1.1\nhost: a\n\n")
      let answer = try await client.whole()
      #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("the field Host, once"))
      #expect(!answer.contains("200 OK"), "what follows is not believed either")
      // HTTP/1.0 knows of none.
      let old = try RawClient(port: port)
      old.send("GET / HTTP/1.0\n\n")
      #expect(try await old.whole().hasPrefix("HTTP/1.0 200"))
    }
  }

  @Test func `a token follows its scheme after one space or more`() {
    #expect(bearerToken(in: "Bearer abc") == "abc")
    #expect(bearerToken(in: "bearer   abc") == "abc")
    for other in ["Basic abc", "Bearer", "Bearer ", "Bearer   ", "", "abc"] {
      #expect(bearerToken(in: other) == nil)
    }
  }

  @Test func `what is left of a body may not hold a connection`() async throws {
    var limits = ServingLimits()
    limits.lingerSeconds = 1
    try await Server(limits).serving { port in
      let client = try RawClient(port: port)
      client.send("POST /refused HTTP/1.1\nhost: x\ncontent-length: 5\n\nhe")
      #expect(try await client.received(with: "no").hasPrefix("HTTP/1.1 401"))
      _ = try await client.whole()
    }
  }

  @Test func `a long body that nobody reads does not cost its client the answer`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("POST /refused HTTP/1.1\nhost: x\ncontent-length: 3000000\n\n")
      client.send(String(repeating: "x", count: 50_000))
      #expect(try await client.received(with: "no").hasPrefix("HTTP/1.1 401"))
      #expect(!client.isReset)
    }
  }

  @Test func `compressed bodies are refused with the encodings that are read`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send(
        "POST /echo HTTP/1.1\nhost: x\ncontent-encoding: gzip\ncontent-length: 5\n"
          + "connection: close\n\nhello")
      let answer = try await client.whole()
      #expect(answer.hasPrefix("HTTP/1.1 415"))
      #expect(answer.lowercased().contains("accept-encoding: identity"))
    }
  }

  @Test func `when connections run short strangers make way, and who is known stays`() async throws
  {
    var limits = ServingLimits()
    limits.connections = 8
    limits.connectionsForKnown = 4
    // Nobody goes for saying nothing.
    limits.firstHeadSeconds = 3_600
    let server = Server(limits)
    try await server.serving { port in
      let known = try RawClient(port: port)
      known.send("GET /known HTTP/1.1\nhost: x\n\n")
      _ = try await known.received(with: "known")
      var strangers: [RawClient] = []
      for number in 0..<20 {
        strangers.append(try RawClient(port: port))
        // Beside the one that is known there is room for three.
        try await eventually("stranger \(number) is let in") { [strangers] in
          server.book.count == min(number + 2, 4)
            && (number < 3 || strangers[number - 3].hasEnded)
        }
      }
      let late = try RawClient(port: port)
      late.send("GET / HTTP/1.1\nhost: x\n\n")
      _ = try await late.received(with: "hello")
      try await eventually("the oldest made way") { [strangers] in strangers[0].hasEnded }
      #expect(!strangers[19].hasEnded)
      known.send("GET / HTTP/1.1\nhost: x\n\n")
      _ = try await known.received(with: "hello")
    }
  }

  // MARK: Other programs

  @Test func `curl uploads without waiting, and reads the header alone`() async throws {
    try await Server().serving { port in
      try await onThread {
        let started = ContinuousClock.now
        let got = try shell(
          "head -c 1000000 /dev/zero | tr '\\0' a | curl -sS --expect100-timeout 30 "
            + "-H 'expect: 100-continue' --data-binary @- http://127.0.0.1:\(port)/echo | wc -c")
        #expect(got.contains("1000000"))
        // Without an answer curl would wait for those thirty seconds.
        #expect(ContinuousClock.now - started < .seconds(25))
        let head = try shell("curl -sS -I http://127.0.0.1:\(port)/stream")
        #expect(head.hasPrefix("HTTP/1.1 200"))
        let old = try shell("curl -sS -0 http://127.0.0.1:\(port)/stream")
        #expect(old == "part 0 part 1 part 2 ")
        let refused = try shell("curl -sS -i -X DELETE http://127.0.0.1:\(port)/")
        #expect(refused.lowercased().contains("allow: get, head, post"))
      }
    }
  }

  @Test func `Python's client passes over the sign that is asked of it`() async throws {
    let server = Server()
    try await server.serving { port in
      let script = """
        import http.client, socket
        c = http.client.HTTPConnection("127.0.0.1", \(port)); c.request("GET", "/held")
        c.sock.shutdown(socket.SHUT_WR); r = c.getresponse(); print(r.status, r.read().decode())
        """
      let asking = Task { try await onThread { try shell("python3 -c '\(script)'") } }
      try await eventually("it is asked") { server.heldCount == 1 }
      try await Task.sleep(for: .milliseconds(300))
      server.release()
      #expect(try await asking.value.contains("200 held"))
    }
  }

  // MARK: Pages of other origins

  @Test func `listed origins may ask and read, others may not`() async throws {
    try await Server(origins: ["https://app.example.com"]).serving { port in
      func ask(_ request: String) async throws -> String {
        let client = try RawClient(port: port)
        client.send("\(request)\nhost: x\nconnection: close\n\n")
        return try await client.whole().lowercased()
      }
      let preflight =
        "access-control-request-method: POST\naccess-control-request-headers: authorization"
      let allowed = try await ask(
        "OPTIONS /echo HTTP/1.1\norigin: https://app.example.com\n\(preflight)")
      #expect(allowed.hasPrefix("http/1.1 204"))
      #expect(allowed.contains("access-control-allow-origin: https://app.example.com"))
      #expect(allowed.contains("access-control-allow-headers: authorization"))
      #expect(allowed.contains("access-control-allow-methods: get, head, post"))
      let foreign = try await ask("OPTIONS /echo HTTP/1.1\norigin: https://evil.com\n\(preflight)")
      #expect(foreign.hasPrefix("http/1.1 405"))
      #expect(!foreign.contains("access-control"))
      let read = try await ask("GET / HTTP/1.1\norigin: https://app.example.com")
      #expect(read.contains("access-control-allow-origin: https://app.example.com"))
      #expect(read.contains("access-control-expose-headers: x-request-id"))
      #expect(read.contains("vary: origin"))
      #expect(try await !ask("GET / HTTP/1.1\norigin: https://evil.com").contains("access-control"))
    }
  }

  @Test func `without a list no page of another origin may read`() async throws {
    try await Server().serving { port in
      let client = try RawClient(port: port)
      client.send("GET / HTTP/1.1\nhost: x\norigin: https://app.example.com\nconnection: close\n\n")
      #expect(try await !client.whole().lowercased().contains("access-control"))
    }
  }

  @Test(arguments: ["app.example.com", "https://a/b", "https://", "ftp://a", "https://a b"])
  func `what is no origin is refused`(_ text: String) {
    #expect(throws: CrossOrigin.Unreadable.self) {
      try CrossOrigin(origins: [text], exposing: [])
    }
  }
}

/// Runs what blocks on a thread of its own.
private func onThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
  }
}
