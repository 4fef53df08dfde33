// Streams: their order, that they come as they are made, and how they end.

import Glibc
import TestKit
import Testing

/// Each test starts engines of its own: one after another, so that a small machine is not flooded.
@Suite(.serialized, .turn, .bounded) struct `The engine's streams` {
  let folder = try! TestFolder()

  @Test func `A chat stream has role, tokens, reason, usage and DONE, in this order`()
    async throws
  {
    let sim = try await Sim(in: folder)
    var stream = try await sim.chatStream("hello", #","stream_options":{"include_usage":true}"#)
    var events = try await stream.rest()
    let done = events.popLast()
    #expect(done == "[DONE]")
    var chunks = try events.map(JSON.init)
    #expect(Set(chunks.map { $0["id"].string }).count == 1)
    #expect(chunks.allSatisfy { $0["object"].string == "chat.completion.chunk" })
    let usage = chunks.removeLast()
    #expect(usage["choices"].items.isEmpty)
    #expect(usage["usage"]["completion_tokens"].int == 24)
    let first = chunks.removeFirst()["choices"][0]["delta"]
    #expect(first["role"].string == "assistant")
    #expect(first["content"].string == "")
    let last = chunks.removeLast()["choices"][0]
    #expect(last["finish_reason"].string == "stop")
    #expect(last["delta"].keys.isEmpty)
    let deltas = chunks.map { $0["choices"][0] }
    #expect(deltas.allSatisfy { $0["finish_reason"].isNull })
    let text = deltas.compactMap { $0["delta"]["content"].string }.joined()
    #expect(try await sim.chat("hello").content == text, "streamed or not, it is the same reply")
  }

  @Test func `Usage comes only when it is asked for`() async throws {
    let sim = try await Sim(in: folder)
    var stream = try await sim.chatStream("hello")
    let events = try await stream.rest().dropLast()
    #expect(try events.allSatisfy { try JSON($0)["usage"].isNull })
  }

  @Test func `A completion stream gives the text of the plain one`() async throws {
    let sim = try await Sim(in: folder)
    let body = #"{"model":"sim","prompt":"a b","n":2"#
    var stream = try await sim.stream("/v1/completions", body + #","stream":true}"#)
    let events = try await stream.rest()
    #expect(events.last == "[DONE]")
    let choices = try events.dropLast().map { try JSON($0)["choices"][0] }
    let plain = try await sim.post("/v1/completions", body + "}").json
    for index in 0..<2 {
      let own = choices.filter { $0["index"].int == index }
      #expect(
        own.compactMap { $0["text"].string }.joined()
          == plain["choices"][index]["text"].string)
      #expect(own.last?["finish_reason"].string == "stop")
    }
  }

  @Test func `Tokens arrive as they are made, at the pace that was asked for`() async throws {
    let sim = try await Sim(
      ["--time-to-first-token-ms", "200", "--tokens-per-second", "4"], in: folder)
    let began = ContinuousClock.now
    var stream = try await sim.chatStream("hello", #","max_tokens":11"#)
    var times: [Duration] = []
    while let event = try await stream.next() {
      if try event != "[DONE]" && JSON(event)["choices"][0]["delta"]["content"].string != "" {
        times.append(ContinuousClock.now - began)
      }
    }
    // Counted from the request: an arrival that is noticed late cannot make these fail.
    #expect(times[0] >= .milliseconds(200))
    #expect(times[10] >= .milliseconds(2_690), "ten more at four a second")
    // One whose last is made in twenty minutes.
    var long = try await sim.chatStream("hello", #","max_tokens":4800,"ignore_eos":true"#)
    var first: String?
    while first?.isEmpty != false, let event = try await long.next() {
      first = try JSON(event)["choices"][0]["delta"]["content"].string
    }
    #expect(first?.isEmpty == false, "the first came before the last was made")
  }

  @Test func `SIGTERM lets a stream finish, takes no new request, and exits 0`() async throws {
    let sim = try await Sim(["--tokens-per-second", "20"], in: folder)
    var stream = try await sim.chatStream("hello")
    _ = try await stream.next()
    sim.process.send(SIGTERM)
    try await eventually("new connections are refused") { !connects(to: sim.port) }
    let rest = try await stream.rest()
    #expect(rest.last == "[DONE]")
    #expect(rest.count > 20)
    #expect(try await sim.process.waitForExit() == .code(0))
    #expect(try sim.log.last?["event"].string == "stop")
  }

  @Test func `A stream longer than the grace is cut off, and the exit is still 0`() async throws {
    let sim = try await Sim(
      ["--tokens-per-second", "1", "--stop-grace-seconds", "0.3"], in: folder)
    var stream = try await sim.chatStream("hello")
    _ = try await stream.next()
    sim.process.send(SIGTERM)
    #expect(try await sim.process.waitForExit() == .code(0))
    let rest = try? await stream.rest()
    #expect(rest?.last != "[DONE]")
  }

  @Test func `A client that leaves gives its place back`() async throws {
    let sim = try await Sim(
      ["--max-concurrent", "1", "--max-queued", "0", "--tokens-per-second", "50"], in: folder)
    do {
      let more = #","max_tokens":5000,"ignore_eos":true"#
      var stream = try await sim.chatStream("hello", more)
      _ = try await stream.next()
      #expect(try await sim.chat("x").status == 429)
    }
    try await eventually("the place is free") {
      try await sim.chat("x", #","max_tokens":1"#).status == 200
    }
    let metrics = try await sim.get("/metrics").text
    #expect(metrics.contains("requests_abandoned_total{model_name=\"sim\"} 1.0"))
  }
}

/// Whether something listens on the port.
func connects(to port: Int) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = in_port_t(port).bigEndian
  address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
  return withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}
