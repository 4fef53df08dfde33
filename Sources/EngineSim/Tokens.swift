// The engine's tokens: a word with the blank before it, cut into pieces of at most eight characters.
// Put together again they give the text back, so a streamed reply equals a plain one.

enum Tokens {
  static let maxCharacters = 8

  static func split(_ text: String) -> [Substring] {
    var pieces: [Substring] = []
    var start = text.startIndex
    var length = 0
    var index = text.startIndex
    while index < text.endIndex {
      if length == maxCharacters || (length > 0 && text[index].isWhitespace) {
        pieces.append(text[start..<index])
        start = index
        length = 0
      }
      length += 1
      index = text.index(after: index)
    }
    if length > 0 { pieces.append(text[start...]) }
    return pieces
  }

  static func count(_ text: String) -> Int { split(text).count }
}
