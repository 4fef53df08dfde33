// Shapes that OpenAI's API lets a client choose between: one or many, text or tokens or parts.

/// `"stop"`: a string, several, or null.
struct OneOrMore: Decodable, Sendable {
  var values: [String]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let one = try? container.decode(String.self) {
      values = [one]
    } else {
      values = try container.decode([String].self)
    }
  }
}

/// A prompt or an embedding's input: a text, texts, a text's tokens, or several texts' tokens.
/// Tokens of another's vocabulary mean nothing here; their numbers stand for words.
struct TextInput: Decodable, Sendable {
  var texts: [String]

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      texts = [text]
    } else if let texts = try? container.decode([String].self) {
      self.texts = texts
    } else if let tokens = try? container.decode([Int].self) {
      texts = [Self.text(tokens)]
    } else if let lists = try? container.decode([[Int]].self) {
      texts = lists.map(Self.text)
    } else {
      throw DecodingError.typeMismatch(
        TextInput.self,
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "a string, an array of strings or an array of tokens is needed"))
    }
  }

  private static func text(_ tokens: [Int]) -> String {
    tokens.map { "t\($0)" }.joined(separator: " ")
  }
}

/// A message's content: a string, parts of which only text counts, or null.
struct MessageContent: Decodable, Sendable {
  private struct Part: Decodable {
    var type: String
    var text: String?
  }

  var text: String

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self.text = text
      return
    }
    do {
      text = try container.decode([Part].self).compactMap(\.text).joined(separator: " ")
    } catch DecodingError.typeMismatch(let type, let context)
      where context.codingPath.count == decoder.codingPath.count
    {
      throw DecodingError.typeMismatch(
        type,
        .init(
          codingPath: context.codingPath,
          debugDescription: "a string or an array of parts is needed"))
    }
  }
}
