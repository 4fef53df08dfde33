// What tokens a request may take, before any is made: its prompt, by its length, and as many as it lets
// each answer have. Pure. It is set aside when the request is let through, and given back for what the
// answer really took.

import Hosting

struct TokenWish: Sendable, Equatable {
  /// For estimates: a token is about four bytes of English.
  static let bytesPerToken = 4

  var promptTokens: Int
  /// The most that one answer may have; none where the request does not say.
  var answerTokens: Int?
  /// How many answers it asks for.
  var answers = 1

  func tokens(assumed: Int) -> Int {
    let (all, overflow) = max(0, answerTokens ?? assumed)
      .multipliedReportingOverflow(by: max(1, answers))
    return overflow ? .max : all.addingOrMost(max(0, promptTokens))
  }

  /// Of a model whose context nobody told: as long as the longest of today.
  static let assumedContextTokens = 2_000_000

  /// More than this no answer can have taken, prompt included: each has a context to itself. Of texts that are
  /// embedded each has one, and no text has more tokens than bytes.
  func mostTokens(at endpoint: Endpoint, contextLength: Int?) -> Int {
    let context = max(1, contextLength ?? Self.assumedContextTokens)
    switch endpoint {
    case .embeddings:
      let (bytes, overflow) = max(0, promptTokens).addingOrMost(1)
        .multipliedReportingOverflow(by: Self.bytesPerToken)
      return overflow ? .max : context.addingOrMost(bytes)
    case .chat, .completions:
      let (all, overflow) = context.multipliedReportingOverflow(by: max(1, answers))
      return overflow ? .max : all
    }
  }
}

/// How long answers were of late whose requests named no end: what is set aside for the next.
struct AnswerLengths: Sendable {
  /// Before any is known.
  static let assumedTokens = 256
  /// Less is never set aside: those whose clients leave at once say nothing of the next.
  static let leastTokens = 16
  /// How many answers weigh as much as all before them.
  private static let weight = 8.0

  private var mean = Double(assumedTokens)

  var assumed: Int { max(Self.leastTokens, Int(cut: mean.rounded(.up))) }

  mutating func learn(_ tokens: Int) { mean += (Double(max(0, tokens)) - mean) / Self.weight }
}

extension Int {
  /// The whole part of a number, or the nearest that can be held: quotas and counts of tokens come
  /// from outside, and none of them may end the gateway.
  init(cut number: Double) {
    self = Int(exactly: number.rounded(.towardZero)) ?? (number > 0 ? .max : .min)
  }

  /// The sum of what is not negative, or the most that can be held.
  func addingOrMost(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
