// One connection's state machine, without a connection.

import NIOHTTP1
import Testing

@testable import HTTPServing

@Suite struct ConnectionStateTests {
  static func request(
    _ method: HTTPMethod = .GET, _ version: HTTPVersion = .http1_1, _ headers: HTTPHeaders = [:]
  ) -> HTTPRequestHead {
    HTTPRequestHead(version: version, method: method, uri: "/", headers: headers)
  }

  static func answer(_ status: HTTPResponseStatus = .ok, _ headers: HTTPHeaders = [:])
    -> HTTPResponseHead
  {
    HTTPResponseHead(version: .http1_1, status: status, headers: headers)
  }

  /// Takes what changes a state, which the macro does not.
  func expect(
    _ isTrue: Bool, _ why: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(isTrue, why, sourceLocation: sourceLocation)
  }

  /// A connection on which the request has arrived as a whole.
  func asked(_ head: HTTPRequestHead) -> ConnectionState {
    var state = ConnectionState(unreadBodyBytes: 1000)
    var head = head
    expect(state.head(&head))
    expect(state.requestEnd())
    return state
  }

  @Test func `an answer of unknown length comes in chunks, by HTTP/1.0 with the connection's end`()
  {
    var state = asked(Self.request())
    var head = Self.answer()
    expect(state.answerHead(&head) == .write)
    expect(head.headers["transfer-encoding"] == ["chunked"])
    expect(state.answerEnd() == .write)

    state = asked(Self.request(.GET, .http1_0, ["connection": "keep-alive"]))
    head = Self.answer()
    expect(state.answerHead(&head) == .write)
    expect(head.version == .http1_0)
    expect(head.headers["transfer-encoding"] == [])
    expect(head.headers["connection"] == ["close"])
    expect(state.answerEnd() == .writeAndClose)
  }

  @Test func `HTTP 1.0 keeps its connection where it asks for that and the length is known`() {
    for (headers, kept) in [(["connection": "keep-alive"], true), ([:], false)]
      as [(HTTPHeaders, Bool)]
    {
      var state = asked(Self.request(.GET, .http1_0, headers))
      var head = Self.answer(.ok, ["content-length": "2"])
      expect(state.answerHead(&head) == .write)
      expect(head.headers["connection"] == [kept ? "keep-alive" : "close"])
      expect(state.answerEnd() == (kept ? .write : .writeAndClose))
    }
  }

  @Test func `of an answer to HEAD only the header goes out, with its length`() {
    var head = Self.request(.HEAD)
    var state = ConnectionState(unreadBodyBytes: 1000)
    expect(state.head(&head))
    expect(head.method == .GET)
    _ = state.requestEnd()
    var answer = Self.answer(.ok, ["content-length": "5"])
    expect(state.answerHead(&answer) == .write)
    expect(answer.headers["content-length"] == ["5"])
    expect(!state.writesBody)
    expect(state.answerEnd() == .write)
  }

  @Test func `an answer to HEAD that would have no end ends at its header`() {
    var state = asked(Self.request(.HEAD))
    var answer = Self.answer()
    expect(state.answerHead(&answer) == .writeAndClose)
    expect(answer.headers["transfer-encoding"] == [])
    expect(answer.headers["connection"] == ["close"])
    expect(!state.writesBody)
    expect(state.answerEnd() == .drop)
  }

  @Test func `a body that is held back is asked for once, and only when it is wanted`() {
    var state = ConnectionState(unreadBodyBytes: 1000)
    var head = Self.request(.POST, .http1_1, ["expect": "100-Continue", "content-length": "5"])
    expect(state.head(&head))
    expect(state.wantsBody())
    expect(!state.wantsBody())
    expect(state.bodyPart() && state.requestEnd())
    var answer = Self.answer(.ok, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(state.answerEnd() == .write, "the connection is kept")
  }

  @Test func `where a body that is held back was not wanted the connection ends`() {
    var state = ConnectionState(unreadBodyBytes: 1000)
    var head = Self.request(.POST, .http1_1, ["expect": "100-continue", "content-length": "5"])
    expect(state.head(&head))
    var answer = Self.answer(.unauthorized, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(answer.headers["connection"] == ["close"])
    expect(!state.wantsBody(), "an answer has begun")
    expect(state.answerEnd() == .writeAndClose)
    expect(!state.bodyPart(), "nothing more goes on")
  }

  @Test func `who sent the body unasked, or speaks HTTP 1.0, is asked for nothing`() {
    var state = ConnectionState(unreadBodyBytes: 1000)
    var head = Self.request(.POST, .http1_1, ["expect": "100-continue", "content-length": "5"])
    expect(state.head(&head))
    expect(state.bodyPart())
    expect(!state.wantsBody())
    state = ConnectionState(unreadBodyBytes: 1000)
    head = Self.request(.POST, .http1_0, ["expect": "100-continue", "content-length": "5"])
    expect(state.head(&head))
    expect(!state.wantsBody())
  }

  @Test(arguments: [("1000", ConnectionState.End.writeAndAwaitRest), ("1001", .writeAndClose)])
  func `a short body that nobody reads is read away, a long one ends the connection`(
    _ length: String, _ end: ConnectionState.End
  ) {
    var state = ConnectionState(unreadBodyBytes: 1000)
    var head = Self.request(.POST, .http1_1, ["content-length": length])
    expect(state.head(&head))
    var answer = Self.answer(.unauthorized, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(state.answerEnd() == end)
    expect(!state.bodyPart() && !state.requestEnd(), "the rest goes nowhere")
    var next = Self.request()
    expect(state.head(&next) == (end == .writeAndAwaitRest))
  }

  @Test func `what is no HTTP is answered after what was asked before it`() {
    var state = ConnectionState(unreadBodyBytes: 1000)
    expect(state.error(.malformed) == .answer(.malformed))
    expect(state.isClosing)
    expect(state.error(.malformed) == .nothing, "once")

    state = asked(Self.request())
    expect(state.error(.headerTooLong) == .nothing)
    var answer = Self.answer(.ok, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(state.answerEnd() == .writeAndAnswer(.headerTooLong))
    var next = Self.request()
    expect(!state.head(&next))
  }

  @Test func `what breaks within a request is told to who reads it, and its answer is the last`() {
    var state = ConnectionState(unreadBodyBytes: 1000)
    var head = Self.request(.POST, .http1_1, ["transfer-encoding": "chunked"])
    expect(state.head(&head))
    expect(state.error(.malformed) == .passOn)
    var answer = Self.answer(.badRequest, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(answer.headers["connection"] == ["close"])
    expect(state.answerEnd() == .writeAndClose)
    var second = Self.answer(.badRequest)
    expect(state.answerHead(&second) == .drop, "one answer a request")
  }

  @Test func `who shut its sending half is answered to the last request, and asked for a sign`() {
    var state = asked(Self.request())
    var head = Self.request()
    expect(state.head(&head) && state.requestEnd())
    expect(state.inputClosed())
    var answer = Self.answer(.ok, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(state.answerEnd() == .write, "the second one waits")
    answer = Self.answer(.ok, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(state.answerEnd() == .writeAndClose)
  }

  @Test func `no sign is asked for by HTTP 1.0, nor within an answer`() {
    var state = asked(Self.request(.GET, .http1_0))
    expect(!state.inputClosed())
    state = asked(Self.request())
    var answer = Self.answer()
    _ = state.answerHead(&answer)
    expect(!state.inputClosed())
  }

  @Test func `a wish for another protocol is not granted, and ends the connection with its answer`()
  {
    var state = asked(
      Self.request(.GET, .http1_1, ["connection": "upgrade", "upgrade": "h2c"]))
    var answer = Self.answer(.ok, ["content-length": "0"])
    expect(state.answerHead(&answer) == .write)
    expect(state.answerEnd() == .writeAndClose)
  }

  @Test func `an answer without a body has no framing`() {
    for status in [HTTPResponseStatus.noContent, .notModified] {
      var state = asked(Self.request())
      var answer = Self.answer(status)
      expect(state.answerHead(&answer) == .write)
      expect(answer.headers["transfer-encoding"] == [] && answer.headers["content-length"] == [])
      expect(state.answerEnd() == .write)
    }
  }
}
