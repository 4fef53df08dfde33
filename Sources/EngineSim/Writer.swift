// What the engine says: which model answered, a little of what it was asked, then words drawn from
// prompt and seed. The same question to the same model always gets the same reply.

/// What one reply is made from.
struct ReplyRequest {
  var model: String
  /// All that was said; with the seed it decides the words.
  var prompt: String
  /// What to echo.
  var question: String
  var promptTokens: Int
  /// At most this many tokens, from the client and the context length.
  var maxTokens: Int
  /// Go on to `maxTokens` instead of ending where the reply would.
  var ignoreEnd: Bool
  var stop: [String]
  var seed: UInt64
}

struct Reply: Sendable {
  enum FinishReason: String, Encodable, CaseIterable { case stop, length }
  var tokens: [String]
  var finishReason: FinishReason

  var text: String { tokens.joined() }
}

struct Writer: Sendable {
  static let maxEchoCharacters = 64
  private static let words =
    """
    harbour tide rope crane anchor berth cargo pilot lantern gull keel mast buoy channel ledger
    crew dock signal compass chart harvest winter copper quiet early steady over under between
    along toward again every after before
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  var seed: UInt64
  var replyTokens: Int

  /// The reply of one choice; `choice` makes those of one request differ.
  func reply(to request: ReplyRequest, choice: Int) -> Reply {
    let opening = "\(request.model) heard: \(shortened(request.question)) |"
    var tokens = Tokens.split(opening).map(String.init)
    var generator = StableGenerator(
      seed: stableHash(request.prompt, seed: seed ^ request.seed) &+ UInt64(choice))
    // One more than is allowed tells a reply that was cut from one that just fits.
    let natural = request.ignoreEnd ? request.maxTokens : replyTokens
    while tokens.count < min(natural, request.maxTokens + 1) {
      let word = Self.words.randomElement(using: &generator)!
      tokens.append(contentsOf: Tokens.split(" " + word).map(String.init))
    }
    let isCut = tokens.count > request.maxTokens || request.ignoreEnd
    tokens = Array(tokens.prefix(request.maxTokens))
    return stopped(tokens, at: request.stop)
      ?? Reply(tokens: tokens, finishReason: isCut ? .length : .stop)
  }

  /// The reply up to the first stop word, or nil when it holds none.
  private func stopped(_ tokens: [String], at stop: [String]) -> Reply? {
    let text = tokens.joined()
    let ends = stop.compactMap { text.firstRange(of: $0)?.lowerBound }
    guard let end = ends.min() else { return nil }
    let kept = Tokens.split(String(text[..<end])).map(String.init)
    return Reply(tokens: kept, finishReason: .stop)
  }

  private func shortened(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count <= Self.maxEchoCharacters
      ? line : line.prefix(Self.maxEchoCharacters) + "…"
  }
}
