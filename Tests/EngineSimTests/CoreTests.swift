// The parts that need no process: who may run, tokens, replies, directions.

import Testing

@testable import EngineSim

@Suite struct `The engine's rules` {
  @Test func `Places go to those who came first`() {
    var state = AdmissionState(maxRunning: 1, maxWaiting: 2)
    let arrivals = (1...4).map { state.arrive($0) }
    #expect(arrivals == [.admitted, .waits, .waits, .refused])
    let gaveUp = (state.giveUp(2), state.giveUp(2))
    #expect(gaveUp == (true, false), "it waited only once")
    let last = state.arrive(5)
    #expect(last == .waits)
    let successors = [state.leave(), state.leave(), state.leave()]
    #expect(successors == [3, 5, nil])
    #expect(state.running == 0)
  }

  @Test func `A waiting request that is cancelled takes no place`() async throws {
    let admission = Admission(maxRunning: 1, maxWaiting: 4)
    let place = try #require(try await admission.enter())
    let waiting = Task { try await admission.enter() }
    while admission.load.waiting == 0 { await Task.yield() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    place.leave()
    place.leave()
    #expect(admission.load == (0, 0))
    #expect(try await admission.enter() != nil)
    #expect(admission.load == (0, 0), "a place that nobody holds is given back")
  }

  @Test(arguments: ["", "a", "one two  three", " \n x", "averyveryverylongword", "ünïcödé 🐈‍⬛ cat"])
  func `Tokens put together are the text`(text: String) {
    let tokens = Tokens.split(text)
    #expect(tokens.joined() == text)
    #expect(tokens.allSatisfy { !$0.isEmpty && $0.count <= Tokens.maxCharacters })
  }

  @Test func `Replies and directions are the same on every machine`() {
    let request = ReplyRequest(
      model: "m", prompt: "user: hi", question: "hi", promptTokens: 2, maxTokens: 100,
      ignoreEnd: false, stop: [], seed: 0)
    let reply = Writer(seed: 0, replyTokens: 10).reply(to: request, choice: 0)
    #expect(reply.text == "m heard: hi | chart copper tide under cargo mast")
    #expect(reply.finishReason == .stop)
    #expect(stableHash("wharf") == 1_388_457_272_729_398_461)
  }

  @Test(arguments: [(1, true), (5, true), (9, true), (10, false), (11, false)])
  func `A reply is cut only when more would have come`(maxTokens: Int, isCut: Bool) {
    let request = ReplyRequest(
      model: "m", prompt: "user: hi", question: "hi", promptTokens: 2, maxTokens: maxTokens,
      ignoreEnd: false, stop: [], seed: 0)
    let reply = Writer(seed: 0, replyTokens: 10).reply(to: request, choice: 0)
    #expect(reply.finishReason == (isCut ? .length : .stop))
    #expect(reply.tokens.count == min(maxTokens, 10))
  }

  @Test func `A failing engine lets through as many requests as it was told`() {
    var crashing = EngineState(crashAfterRequests: 1, hangAfterRequests: nil)
    let early = crashing.arrive()
    #expect(early == .notReady)
    crashing.loaded()
    let arrivals = [crashing.arrive(), crashing.arrive()]
    #expect(arrivals == [.serve(isFirst: true), .crash])
    var hanging = EngineState(crashAfterRequests: nil, hangAfterRequests: 0)
    hanging.loaded()
    let arrival = hanging.arrive()
    #expect(arrival == .hang)
    #expect(hanging.phase == .hung)
  }
}
