// What engines say against requests, in each form that they write it in.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Gateway

@Suite struct EngineRefusalTests {
  func read(
    _ status: Int, _ body: String?, _ headers: HTTPHeaders = [:],
    limits: GatewayLimits = GatewayLimits()
  ) -> EngineRefusal {
    EngineRefusal(
      status: status, headers: headers, body: body.map { Array($0.utf8) }, limits: limits)
  }

  @Test(arguments: [
    #"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"long"}}"#,
    #"{"message":"too long","type":"invalid_request_error","param":"messages","code":"long"}"#,
    #"{"object":"error","message":"too long","type":"invalid_request_error","param":"messages","code":"long"}"#,
  ]) func `OpenAI's form is read, with its shell and without`(_ body: String) {
    let refusal = read(400, body)
    #expect(refusal.message == "too long")
    #expect(refusal.type == "invalid_request_error")
    #expect(refusal.parameter == "messages")
    #expect(refusal.code == "long")
  }

  @Test func `other engines' forms are read`() {
    #expect(read(413, #"{"error":"too big","error_type":"Validation"}"#).message == "too big")
    #expect(read(413, #"{"error":"too big","error_type":"Validation"}"#).type == "Validation")
    #expect(read(404, #"{"detail":"Not Found"}"#).message == "Not Found")
    #expect(
      read(422, #"{"detail":[{"loc":["body","messages",0],"msg":"Field required","type":"x"}]}"#)
        .message == "body.messages.0: Field required")
    #expect(
      read(400, "no good", ["content-type": "text/plain; charset=utf-8"]).message == "no good")
    #expect(read(400, "<html>", ["content-type": "text/html"]).message == nil)
    #expect(read(400, #"{"code":400,"message":"m"}"#).denial.code == "engine_refused")
    #expect(read(500, nil).denial.message.contains("did not say"))
  }

  @Test func `its words are bounded, and a code is a word`() {
    var limits = GatewayLimits()
    limits.engineMessageCharacters = 10
    let long = String(repeating: "x", count: 1000)
    let refusal = read(
      400, #"{"error":{"message":"\#(long)","code":"a b","type":"\#(long)"}}"#, limits: limits)
    #expect(refusal.message?.count ?? 0 <= 10)
    #expect(refusal.code == nil && refusal.type == nil)
  }

  @Test(arguments: [
    (400, 400), (404, 404), (413, 413), (422, 422), (429, 429), (500, 500), (501, 501), (503, 503),
    (401, 502), (403, 502), (302, 502), (600, 502),
  ]) func `a status is passed on, unless it blames us`(_ engine: Int, _ ours: Int) {
    #expect(read(engine, nil).denial.status == ours)
  }

  @Test func `a status that is no answer is named`() {
    let refusal = read(307, nil)
    #expect(refusal.fault == .strange(.status(307)))
    #expect(refusal.denial.code == "engine_bad_answer")
    #expect(refusal.denial.message.contains("status 307"))
  }

  @Test func `how long to wait is passed on, within bounds`() {
    #expect(read(503, nil, ["retry-after": "7"]).denial.retryAfterSeconds == 7)
    #expect(read(503, nil, ["retry-after": "999999"]).denial.retryAfterSeconds == 3600)
    #expect(read(429, nil, ["retry-after": "Wed, 21 Oct 2015"]).denial.retryAfterSeconds == 1)
    #expect(read(400, nil).denial.retryAfterSeconds == nil)
  }

  @Test func `only the making of a connection shows that nothing was begun`() {
    #expect(EngineCall.fault(IOError(errnoCode: ECONNREFUSED, reason: "connect")) == .notReached)
    #expect(EngineCall.fault(HTTPClientError.connectTimeout) == .notReached)
    #expect(EngineCall.fault(HTTPClientError.remoteConnectionClosed) == .brokeOff)
    #expect(EngineCall.fault(IOError(errnoCode: ECONNRESET, reason: "read")) == .brokeOff)
    #expect(EngineCall.fault(HTTPClientError.deadlineExceeded) == .slow)
    #expect(EngineCall.fault(HTTPParserError.headerOverflow) == .strange(.headerTooLong))
    #expect(EngineCall.fault(HTTPParserError.invalidConstant) == .strange(.notHTTP))
    #expect(EngineCall.fault(HTTPParserError.invalidEOFState) == .brokeOff)
  }
}
