// What chat and completion requests have in common, and its limits.

enum RequestLimits {
  static let maxChoices = 128
  static let maxStops = 16
  static let maxMessages = 4096
  static let maxPrompts = 128
  static let maxInputs = 2048
}

struct StreamOptions: Decodable {
  var includeUsage: Bool?
}

/// Checks that hold for every request that makes text. Names are those of the API.
struct Sampling {
  var n: Int?
  var maxTokens: Int?
  var temperature: Double?
  var topP: Double?
  var stop: OneOrMore?
  var seed: Int64?
  var ignoreEnd: Bool?

  func validate(maxTokensName: String) throws(APIError) {
    try check(n, in: 1...RequestLimits.maxChoices, "n")
    try check(maxTokens, in: 1...Int(Int32.max), maxTokensName)
    try check(temperature, in: 0...2, "temperature")
    try check(topP, in: 0...1, "top_p")
    if let stop {
      try check(stop.values.count, in: 0...RequestLimits.maxStops, "stop")
      if stop.values.contains("") {
        throw .badRequest("'stop' holds an empty text.", param: "stop")
      }
    }
  }

  /// How many tokens a reply may have, within the context.
  func allowedTokens(promptTokens: Int, contextLength: Int) throws(APIError) -> Int {
    let left = contextLength - promptTokens
    guard left > 0, maxTokens ?? 1 <= left else {
      throw .contextExceeded(limit: contextLength, prompt: promptTokens, reply: maxTokens)
    }
    return maxTokens ?? left
  }

  private func check<Value: Comparable>(
    _ value: Value?, in range: ClosedRange<Value>, _ name: String
  ) throws(APIError) {
    guard let value, !range.contains(value) else { return }
    throw .badRequest(
      "'\(name)' is \(value); it can be from \(range.lowerBound) to \(range.upperBound).",
      param: name, code: "invalid_value")
  }
}

struct Usage: Encodable {
  var promptTokens: Int
  var completionTokens: Int
  var totalTokens: Int

  init(prompt: Int, completion: Int) {
    promptTokens = prompt
    completionTokens = completion
    totalTokens = prompt + completion
  }
}
