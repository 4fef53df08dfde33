// POST /v1/completions: the bodies that come and go.

struct CompletionRequest: Decodable {
  var model: String
  var prompt: TextInput
  var echo: Bool?
  var stream: Bool?
  var streamOptions: StreamOptions?
  var n: Int?
  var maxTokens: Int?
  var temperature: Double?
  var topP: Double?
  var stop: OneOrMore?
  var seed: Int64?
  var ignoreEos: Bool?

  func validate() throws(APIError) {
    guard (1...RequestLimits.maxPrompts).contains(prompt.texts.count) else {
      throw .badRequest(
        "'prompt' has \(prompt.texts.count); it can have from 1 to \(RequestLimits.maxPrompts).",
        param: "prompt", code: "invalid_value")
    }
    if echo == true {
      throw .badRequest("'echo' is not supported.", param: "echo", code: "unsupported_parameter")
    }
  }

  var generation: Generation {
    Generation(
      model: model, prompts: prompt.texts.map { .init(text: $0, question: $0) },
      sampling: Sampling(
        n: n, maxTokens: maxTokens, temperature: temperature, topP: topP, stop: stop,
        seed: seed, ignoreEnd: ignoreEos),
      maxTokensName: "max_tokens", isStreamed: stream ?? false,
      includesUsage: streamOptions?.includeUsage ?? false)
  }
}

struct CompletionResponse: Encodable {
  struct Choice: Encodable {
    var index: Int
    var text: String
    @Nullable var logprobs: Int?
    @Nullable var finishReason: Reply.FinishReason?
  }

  var id: String
  var object = "text_completion"
  var created: Int64
  var model: String
  var choices: [Choice]
  var usage: Usage?
  var systemFingerprint: String
}

/// How a completion dresses what was generated. Its chunks have the shape of the whole.
struct CompletionFormat: GenerationFormat {
  static let idPrefix = "cmpl"

  func response(_ head: ResponseHead, replies: [Reply], usage: Usage) -> any Encodable {
    body(
      head,
      choices: replies.enumerated().map { index, reply in
        .init(index: index, text: reply.text, logprobs: nil, finishReason: reply.finishReason)
      }, usage: usage)
  }

  func chunk(_ head: ResponseHead, _ step: StreamStep) -> (any Encodable)? {
    switch step {
    case .begin:
      return nil
    case .token(let index, let text):
      return body(
        head, choices: [.init(index: index, text: text, logprobs: nil, finishReason: nil)],
        usage: nil)
    case .end(let index, let reason):
      return body(
        head, choices: [.init(index: index, text: "", logprobs: nil, finishReason: reason)],
        usage: nil)
    }
  }

  func usageChunk(_ head: ResponseHead, usage: Usage) -> any Encodable {
    body(head, choices: [], usage: usage)
  }

  private func body(
    _ head: ResponseHead, choices: [CompletionResponse.Choice], usage: Usage?
  ) -> CompletionResponse {
    CompletionResponse(
      id: head.id, created: head.created, model: head.model, choices: choices, usage: usage,
      systemFingerprint: head.fingerprint)
  }
}
