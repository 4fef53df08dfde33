// From a request for text to its reply, plain or streamed, at the pace that was asked for.

import Foundation
import Hosting
import Hummingbird
import NIOCore
import Synchronization

/// A request for text, whichever route it came by.
struct Generation {
  struct Prompt {
    var text: String
    var question: String
  }

  var model: String
  var prompts: [Prompt]
  var sampling: Sampling
  var maxTokensName: String
  var isStreamed: Bool
  var includesUsage: Bool
}

/// What every body about one reply repeats.
struct ResponseHead: Sendable {
  var id: String
  var created: Int64
  var model: String
  var fingerprint: String
}

/// What a stream says, in this order for each choice.
enum StreamStep {
  case begin(index: Int)
  case token(index: Int, text: String)
  case end(index: Int, reason: Reply.FinishReason)
}

protocol GenerationFormat: Sendable {
  static var idPrefix: String { get }
  func response(_ head: ResponseHead, replies: [Reply], usage: Usage) -> any Encodable
  /// Nil when the format says nothing at this step.
  func chunk(_ head: ResponseHead, _ step: StreamStep) -> (any Encodable)?
  func usageChunk(_ head: ResponseHead, usage: Usage) -> any Encodable
}

/// All that is known of a reply before its first byte goes out.
struct Written<Format: GenerationFormat>: Sendable {
  var format: Format
  var head: ResponseHead
  /// One a choice; choices of the first prompt come first.
  var replies: [Reply]
  var promptTokens: Int
  var includesUsage: Bool

  var completionTokens: Int { replies.reduce(0) { $0 + $1.tokens.count } }
  var longest: Int { replies.map(\.tokens.count).max() ?? 0 }
  var usage: Usage { Usage(prompt: promptTokens, completion: completionTokens) }
}

extension Engine {
  func answer(_ generation: Generation, format: some GenerationFormat) async throws -> Response {
    let written = try write(generation, format: format)
    let place = try await admit()
    let pace = Pace(options.pace)
    if generation.isStreamed { return stream(written, place: place, pace: pace) }
    do {
      try await pace.wait(for: written.longest - 1)
    } catch {
      counters.withLock { $0.abandoned += 1 }
      throw error
    }
    count(written)
    place.leave()
    return jsonResponse(
      written.format.response(written.head, replies: written.replies, usage: written.usage))
  }

  /// Checks the request and makes up the whole reply.
  private func write<Format: GenerationFormat>(
    _ generation: Generation, format: Format
  ) throws(APIError) -> Written<Format> {
    let sampling = generation.sampling
    try sampling.validate(maxTokensName: generation.maxTokensName)
    var replies: [Reply] = []
    var promptTokens = 0
    for prompt in generation.prompts {
      let tokens = Tokens.count(prompt.text)
      promptTokens += tokens
      let request = ReplyRequest(
        model: generation.model, prompt: prompt.text, question: prompt.question,
        promptTokens: tokens,
        maxTokens: try sampling.allowedTokens(
          promptTokens: tokens, contextLength: options.limits.contextLength),
        ignoreEnd: (sampling.ignoreEnd ?? false) && sampling.maxTokens != nil,
        stop: sampling.stop?.values ?? [], seed: UInt64(bitPattern: sampling.seed ?? 0))
      for choice in 0..<(sampling.n ?? 1) {
        replies.append(writer.reply(to: request, choice: choice))
      }
    }
    let head = ResponseHead(
      id: "\(Format.idPrefix)-\(UUID().uuidString.lowercased())",
      created: microsecondsSince1970() / 1_000_000, model: generation.model,
      fingerprint: identity.fingerprint)
    return Written(
      format: format, head: head, replies: replies, promptTokens: promptTokens,
      includesUsage: generation.includesUsage)
  }

  private func stream(
    _ written: Written<some GenerationFormat>, place: Place, pace: Pace
  ) -> Response {
    let body = ResponseBody { writer in
      defer { place.leave() }
      do {
        try await self.send(written, pace: pace, to: &writer)
        self.count(written)
      } catch {
        self.counters.withLock { $0.abandoned += 1 }
        throw error
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok,
      headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
      body: body)
  }

  /// Tokens of all choices go out side by side; each is its own write, at its time.
  private func send(
    _ written: Written<some GenerationFormat>, pace: Pace, to writer: inout any ResponseBodyWriter
  ) async throws {
    var events = EventStream(format: written.format, head: written.head)
    try await pace.wait(for: 0)
    for index in written.replies.indices { events.add(.begin(index: index)) }
    for position in 0..<written.longest {
      try await pace.wait(for: position)
      for (index, reply) in written.replies.enumerated() where position < reply.tokens.count {
        events.add(.token(index: index, text: reply.tokens[position]))
      }
      try await writer.write(events.take())
    }
    for (index, reply) in written.replies.enumerated() {
      events.add(.end(index: index, reason: reply.finishReason))
    }
    if written.includesUsage { events.addUsage(written.usage) }
    events.addDone()
    try await writer.write(events.take())
  }

  private func count(_ written: Written<some GenerationFormat>) {
    counters.withLock { counters in
      counters.promptTokens += written.promptTokens
      counters.generationTokens += written.completionTokens
      for reply in written.replies { counters.finished[reply.finishReason, default: 0] += 1 }
    }
  }
}

/// Server-sent events, gathered until they are taken.
private struct EventStream<Format: GenerationFormat> {
  let format: Format
  let head: ResponseHead
  private var buffer = ByteBuffer()

  init(format: Format, head: ResponseHead) {
    self.format = format
    self.head = head
  }

  mutating func add(_ step: StreamStep) {
    if let chunk = format.chunk(head, step) { addData(encodeJSON(chunk)) }
  }

  mutating func addUsage(_ usage: Usage) {
    addData(encodeJSON(format.usageChunk(head, usage: usage)))
  }

  mutating func addDone() { addData(Array("[DONE]".utf8)) }

  private mutating func addData(_ bytes: [UInt8]) {
    buffer.writeString("data: ")
    buffer.writeBytes(bytes)
    buffer.writeString("\n\n")
  }

  mutating func take() -> ByteBuffer {
    defer { buffer = ByteBuffer() }
    return buffer
  }
}

/// When each token of a reply is due, counted from the request's admission.
struct Pace: Sendable {
  private let began = ContinuousClock.now
  private let toFirst: Duration
  private let between: Duration

  init(_ options: PaceOptions) {
    toFirst = options.timeToFirstToken.duration
    between = options.tokensPerSecond > 0 ? .seconds(1 / options.tokensPerSecond) : .zero
  }

  /// Returns once the token at `index` is due; at once when it is overdue.
  func wait(for index: Int) async throws {
    let due = began + toFirst + between * Double(max(0, index))
    guard due > .now else { return }
    try await Task.sleep(until: due, clock: .continuous)
  }
}
