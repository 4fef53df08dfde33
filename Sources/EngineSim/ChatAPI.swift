// POST /v1/chat/completions: the bodies that come and go.

struct ChatRequest: Decodable {
  struct Message: Decodable {
    var role: String
    var content: MessageContent?
  }

  var model: String
  var messages: [Message]
  var stream: Bool?
  var streamOptions: StreamOptions?
  var n: Int?
  var maxTokens: Int?
  var maxCompletionTokens: Int?
  var temperature: Double?
  var topP: Double?
  var stop: OneOrMore?
  var seed: Int64?
  var ignoreEos: Bool?

  static let roles: Set<String> = ["system", "developer", "user", "assistant", "tool", "function"]

  func validate() throws(APIError) {
    guard !messages.isEmpty, messages.count <= RequestLimits.maxMessages else {
      throw .badRequest(
        "'messages' has \(messages.count); it can have from 1 to \(RequestLimits.maxMessages).",
        param: "messages", code: "invalid_value")
    }
    for (index, message) in messages.enumerated() where !Self.roles.contains(message.role) {
      throw .badRequest(
        "'\(message.role)' is no role; known are \(Self.roles.sorted().joined(separator: ", ")).",
        param: "messages[\(index)].role", code: "invalid_value")
    }
  }

  var generation: Generation {
    let prompt = messages.map { "\($0.role): \($0.content?.text ?? "")" }.joined(separator: "\n")
    let question = messages.last { $0.role == "user" } ?? messages[messages.count - 1]
    return Generation(
      model: model,
      prompts: [.init(text: prompt, question: question.content?.text ?? "")],
      sampling: Sampling(
        n: n, maxTokens: maxCompletionTokens ?? maxTokens, temperature: temperature,
        topP: topP, stop: stop, seed: seed, ignoreEnd: ignoreEos),
      maxTokensName: maxCompletionTokens != nil ? "max_completion_tokens" : "max_tokens",
      isStreamed: stream ?? false, includesUsage: streamOptions?.includeUsage ?? false)
  }
}

struct ChatResponse: Encodable {
  struct Message: Encodable {
    var role = "assistant"
    var content: String
  }
  struct Choice: Encodable {
    var index: Int
    var message: Message
    var finishReason: Reply.FinishReason
  }

  var id: String
  var object = "chat.completion"
  var created: Int64
  var model: String
  var choices: [Choice]
  var usage: Usage
  var systemFingerprint: String
}

struct ChatChunk: Encodable {
  struct Delta: Encodable {
    var role: String?
    var content: String?
  }
  struct Choice: Encodable {
    var index: Int
    var delta: Delta
    @Nullable var finishReason: Reply.FinishReason?
  }

  var id: String
  var object = "chat.completion.chunk"
  var created: Int64
  var model: String
  var choices: [Choice]
  var usage: Usage?
  var systemFingerprint: String
}

/// How chat dresses what was generated.
struct ChatFormat: GenerationFormat {
  static let idPrefix = "chatcmpl"

  func response(_ head: ResponseHead, replies: [Reply], usage: Usage) -> any Encodable {
    ChatResponse(
      id: head.id, created: head.created, model: head.model,
      choices: replies.enumerated().map { index, reply in
        .init(index: index, message: .init(content: reply.text), finishReason: reply.finishReason)
      },
      usage: usage, systemFingerprint: head.fingerprint)
  }

  func chunk(_ head: ResponseHead, _ step: StreamStep) -> (any Encodable)? {
    let choice: ChatChunk.Choice
    switch step {
    case .begin(let index):
      choice = .init(
        index: index, delta: .init(role: "assistant", content: ""), finishReason: nil)
    case .token(let index, let text):
      choice = .init(index: index, delta: .init(content: text), finishReason: nil)
    case .end(let index, let reason):
      choice = .init(index: index, delta: .init(), finishReason: reason)
    }
    return chunk(head, choices: [choice], usage: nil)
  }

  func usageChunk(_ head: ResponseHead, usage: Usage) -> any Encodable {
    chunk(head, choices: [], usage: usage)
  }

  private func chunk(_ head: ResponseHead, choices: [ChatChunk.Choice], usage: Usage?) -> ChatChunk
  {
    ChatChunk(
      id: head.id, created: head.created, model: head.model, choices: choices, usage: usage,
      systemFingerprint: head.fingerprint)
  }
}
