// Reading just enough of a request's body, and counting an answer's tokens.

import Hosting
import NIOCore
import Testing

@testable import Gateway

@Suite struct RequestScanTests {
  func rewritten(_ body: String, to name: String = "engine") throws -> String {
    let buffer = ByteBuffer(string: body)
    return String(buffer: try RequestScan(buffer).rewritten(buffer, model: name))
  }

  @Test(arguments: [
    (#"{"model":"a/b","messages":[]}"#, #"{"model":"engine","messages":[]}"#),
    (#" { "x" : 1e5 , "model" : "a/b" } "#, #" { "x" : 1e5 , "model" : "engine" } "#),
    (#"{"tools":[{"model":"no"}],"model":"a/b"}"#, #"{"tools":[{"model":"no"}],"model":"engine"}"#),
    (#"{"s":"\"model\":\"no\"","model":"a/b"}"#, #"{"s":"\"model\":\"no\"","model":"engine"}"#),
    (
      #"{"mod\u0065l":"a/b","s":"\ud83d\ude00 ä"}"#,
      #"{"mod\u0065l":"engine","s":"\ud83d\ude00 ä"}"#
    ),
    (#"{"s":"a\\","model":"a\/b"}"#, #"{"s":"a\\","model":"engine"}"#),
    (
      #"{"half":"\ud800","zero":"\u0000","model":"a/b"}"#,
      #"{"half":"\ud800","zero":"\u0000","model":"engine"}"#
    ),
  ])
  func `only the model's name is exchanged, byte for byte`(_ body: String, _ wanted: String) throws
  {
    #expect(try rewritten(body) == wanted)
    #expect(try RequestScan(ByteBuffer(string: body)).model == "a/b")
  }

  @Test func `a name that needs escaping is escaped`() throws {
    #expect(try rewritten(#"{"model":"a/b"}"#, to: #"q"\"#) == #"{"model":"q\"\\"}"#)
  }

  @Test(arguments: [
    "", "[]", "null", "{", #"{"model"}"#, #"{"model":"a/b""#, #"{"model":"a/b"} x"#,
    #"{"model":"a/b",}"#, #"{"model":"a/b","model":"c/d"}"#, #"{"model":"a/b","mod\u0065l":"c/d"}"#,
    #"{"messages":[]}"#, #"{"model":7}"#, #"{"model":null}"#, #"{"model":["a/b"]}"#,
    #"{"x":,"model":"a/b"}"#, #"{"x":],"model":"a/b"}"#, #"{"model":"a"#, #"{"model":"\"#,
    #"{"stream":true,"model":"a/b","stream":false}"#,
    #"{"stream":true,"model":"a","stream_options":{},"stream_options":{}}"#,
    #"{"stream":true,"model":"a","stream_options":{"include_usage":true,"include_usage":false}}"#,
    #"{"stream":true,"model":"a","stream_options":{"include_usage"}}"#,
    #"{"stream":true,"model":"a","stream_options":{"x":1]}"#,
  ])
  func `a body that the engine might read otherwise is refused`(_ body: String) {
    let denial = #expect(throws: Denial.self) { try RequestScan(ByteBuffer(string: body)) }
    #expect(denial?.status == 400)
  }

  @Test(arguments: [(#"true"#, true), ("false", false), ("null", false), (#""true""#, false)])
  func `a stream is one only where it says so`(_ value: String, _ isStream: Bool) throws {
    let body = ByteBuffer(string: #"{"model":"a/b","stream":\#(value)}"#)
    #expect(try RequestScan(body).isStream == isStream)
  }

  @Test(arguments: [
    (
      #"{"model":"a","stream":true}"#,
      #"{"stream_options":{"include_usage":true},"model":"e","stream":true}"#
    ),
    (
      #"{"stream":true,"stream_options":null,"model":"a"}"#,
      #"{"stream":true,"stream_options":{"include_usage":true},"model":"e"}"#
    ),
    (
      #"{"stream":true,"model":"a","stream_options":{ }}"#,
      #"{"stream":true,"model":"e","stream_options":{"include_usage":true }}"#
    ),
    (
      #"{"stream_options":{"x":{"include_usage":true}},"stream":true,"model":"a"}"#,
      #"{"stream_options":{"include_usage":true,"x":{"include_usage":true}},"stream":true,"#
        + #""model":"e"}"#
    ),
    (
      #"{"stream_options":{"x":1, "include_usage" : false},"stream":true,"model":"a"}"#,
      #"{"stream_options":{"x":1, "include_usage" : true},"stream":true,"model":"e"}"#
    ),
  ])
  func `of a stream it is asked what it took, and nothing else is changed`(
    _ body: String, _ wanted: String
  ) throws { #expect(try rewritten(body, to: "e") == wanted) }

  @Test(arguments: [
    #"{"model":"e","stream":false}"#, #"{"model":"e","stream_options":{}}"#,
    #"{"model":"e","stream":true,"stream_options":{"include_usage":true}}"#,
    #"{"model":"e","stream":true,"stream_options":7}"#,
  ])
  func `who asks for it, or for no stream, is passed on as it is`(_ body: String) throws {
    #expect(try RequestScan(ByteBuffer(string: body)).usageEdit == nil)
    #expect(try rewritten(body, to: "e") == body)
  }

  @Test(
    arguments: [
      (#""max_tokens":100"#, 100, 1), (#""max_completion_tokens":7,"max_tokens":100"#, 100, 1),
      (#""max_tokens":1,"max_tokens":1e3"#, 1000, 1), (#""max_tokens":"50","n":4"#, 50, 4),
      (#""n":2,"best_of":5"#, nil, 5), (#""max_tokens":null,"n":null"#, nil, 1),
      (#""max_tokens":-1,"n":[9],"x":{"max_tokens":3}"#, nil, 1),
      (#""max_tokens":99999999999999999999,"n":9e99"#, .max, .max),
      (#""prompt":["a","[b,\"c"],"n":3"#, nil, 6), (#""prompt":[1,2,3]"#, nil, 1),
      (#""prompt":[[1,2],[3]],"max_tokens":5"#, 5, 2), (#""prompt":"[1,2]""#, nil, 1),
      (#""prompt":[]"#, nil, 1),
    ] as [(String, Int?, Int)])
  func `how many tokens a request lets its answers have is read`(
    _ fields: String, _ answerTokens: Int?, _ answers: Int
  ) throws {
    let body = #"{"model":"a/b",\#(fields)}"#
    let wish = TokenWish(
      promptTokens: body.utf8.count / 4, answerTokens: answerTokens, answers: answers)
    #expect(try RequestScan(ByteBuffer(string: body)).wish == wish)
  }

  @Test func `truncated anywhere, a body is refused and nothing traps`() {
    let whole = #"{"a":[1,{"b":"c\"d"}],"model":"a\u002fb","stream":true,"n":null}"#
    for length in 0..<whole.utf8.count {
      let part = ByteBuffer(bytes: whole.utf8.prefix(length))
      #expect(throws: Denial.self) { try RequestScan(part) }
    }
  }
}

@Suite struct UsageMeterTests {
  func reckoning(_ parts: [String], request: Int = 40, most: Int = 8_192) -> UsageMeter.Reckoning {
    var meter = UsageMeter(requestBytes: request, mostTokens: most)
    for part in parts { meter.feed(ByteBuffer(string: part)) }
    return meter.reckoning
  }

  func meter(_ parts: [String]) -> Int {
    let reckoning = reckoning(parts)
    #expect(!reckoning.isDisbelieved)
    return reckoning.tokens
  }

  @Test func `an answer costs what its usage says`() {
    let usage =
      #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens": 7}}"#
    #expect(meter([usage]) == 7)
    #expect(meter([String(repeating: "x", count: 9000), usage, "\n\ndata: [DONE]\n\n"]) == 7)
    #expect(meter(usage.map(String.init)) == 7, "however it is cut into parts")
  }

  @Test func `a text of the model cannot imitate usage`() {
    let said = #"{"usage":{"total_tokens":7},"content":"\"total_tokens\":0"}"#
    #expect(meter([said]) == 7)
  }

  @Test(arguments: [
    "8193", "9223372036854775807", "99999999999999999999999999", "1e300", "-5", "\"7\"", "[7]", "{",
    "nan", "0x10", "1" + String(repeating: "0", count: 400),
  ])
  func `an engine that says what no answer can take is not believed`(_ said: String) {
    let answer = #"{"choices":[],"usage":{"total_tokens":\#(said)}}"#
    let reckoning = reckoning([answer])
    #expect(reckoning.isDisbelieved)
    #expect(reckoning.tokens == 10 + answer.utf8.count / 4, "it is estimated")
  }

  @Test(arguments: [("8192", 8192), ("7.0", 7), ("1e3", 1000), ("0", 0)])
  func `what an answer can take is believed, however it is written`(_ said: String, _ tokens: Int) {
    #expect(meter([#"{"usage":{"total_tokens":\#(said)}}"#]) == tokens)
  }

  @Test(arguments: [#"{"usage":{"total_tokens":null}}"#, #"{"usage":{"total_tokens":12"#, ""])
  func `an engine that says nothing, or was cut off, is not blamed for it`(_ answer: String) {
    #expect(meter([answer]) == 10 + answer.utf8.count / 4)
  }

  @Test func `how much an answer can take goes by its model's context`() {
    let chat = TokenWish(promptTokens: 10, answerTokens: nil, answers: 3)
    #expect(chat.mostTokens(at: .chat, contextLength: 4_096) == 3 * 4_096)
    #expect(chat.mostTokens(at: .embeddings, contextLength: 512) == 512 + 44)
    #expect(chat.mostTokens(at: .completions, contextLength: nil) == 6_000_000)
    let odd = TokenWish(promptTokens: .max, answerTokens: .max, answers: .max)
    for endpoint in Endpoint.allCases {
      #expect(odd.mostTokens(at: endpoint, contextLength: .max) == .max)
      #expect(odd.mostTokens(at: endpoint, contextLength: 0) > 0)
    }
  }

  @Test func `without usage a stream's text counts, however few parts it comes in`() {
    let text = String(repeating: #"word \" "#, count: 400)
    let event =
      #"data: {"id":"content","choices":[{"delta":{"role":"x","content":"\#(text)"},"#
      + #""logprobs":{"content":[{"token":"\#(text)"}]}}]}"# + "\n\n"
    let wanted = 10 + text.utf8.count / 4
    #expect(meter([event]) == wanted)
    #expect(meter([": \"\n\n", event]) == wanted, "a comment's quotation mark ends with its line")
  }

  @Test func `without usage a stream counts its events and the request's length`() {
    #expect(meter(["data: {}\n\n", "data: {}\n\ndata: {}\n\n"]) == 10 + 3)
  }
}
