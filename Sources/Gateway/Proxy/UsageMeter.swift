// How many tokens an answer cost: as the engine says in `usage`, which stands near the end of an
// answer and in the last part of a stream, else estimated by the text that a stream brought. It keeps only the
// end of what passes. An engine is believed no more than one answer can have taken.

import NIOCore

struct UsageMeter: Sendable {
  /// `usage` is looked for in so much of the end.
  static let tailBytes = 4096
  private var tail: [UInt8] = []
  private var events = 0
  private var bytes = 0
  private var text = TextCount()
  private let requestBytes: Int
  private let mostTokens: Int

  /// - Parameter mostTokens: what prompt and answers can have taken together.
  init(requestBytes: Int, mostTokens: Int) {
    self.requestBytes = requestBytes
    self.mostTokens = mostTokens
  }

  mutating func feed(_ part: ByteBuffer) {
    bytes += part.readableBytes
    part.withUnsafeReadableBytes { view in
      events += Self.events(in: view)
      text.feed(view)
      if view.count >= Self.tailBytes {
        tail = Array(view.suffix(Self.tailBytes))
      } else {
        tail.append(contentsOf: view)
        if tail.count > 2 * Self.tailBytes { tail.removeFirst(tail.count - Self.tailBytes) }
      }
    }
  }

  struct Reckoning: Equatable, Sendable {
    /// Prompt and answer together.
    let tokens: Int
    /// The engine said what cannot be, so that the answer was estimated.
    let isDisbelieved: Bool
  }

  var reckoning: Reckoning {
    let said = Self.totalTokens(in: tail)
    if case .tokens(let tokens) = said, tokens <= mostTokens {
      return Reckoning(tokens: tokens, isDisbelieved: false)
    }
    return Reckoning(tokens: estimate, isDisbelieved: said != .nothing)
  }

  private var estimate: Int {
    let answer =
      events > 0
      ? max(events, text.bytes / TokenWish.bytesPerToken) : bytes / TokenWish.bytesPerToken
    return requestBytes / TokenWish.bytesPerToken + answer
  }

  /// A streamed part carries one token at least.
  private static func events(in view: UnsafeRawBufferPointer) -> Int {
    var count = 0
    var index = 0
    while index + 5 <= view.count {
      if view[index] == UInt8(ascii: "d"), view[index + 1] == UInt8(ascii: "a"),
        view[index + 2] == UInt8(ascii: "t"), view[index + 3] == UInt8(ascii: "a"),
        view[index + 4] == UInt8(ascii: ":"), index == 0 || view[index - 1] == 0x0A
      {
        count += 1
      }
      index += 1
    }
    return count
  }

  enum Said: Equatable {
    /// It does not say, or what it says was cut off.
    case nothing
    case tokens(Int)
    /// What is no count.
    case nonsense
  }

  /// The number of the last `"total_tokens"`. Within a text of the model the quotes are escaped, so
  /// it cannot be imitated there.
  static func totalTokens(in bytes: [UInt8]) -> Said {
    let field = Array("\"total_tokens\"".utf8)
    var start = bytes.count - field.count
    while start >= 0 {
      if bytes[start] == field[0], bytes[start..<start + field.count].elementsEqual(field) {
        return count(bytes[(start + field.count)...])
      }
      start -= 1
    }
    return .nothing
  }

  private static let longestNumber = 32

  /// - Parameter rest: what follows the field's name.
  private static func count(_ rest: ArraySlice<UInt8>) -> Said {
    let value = rest.drop { [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ":")].contains($0) }
    let word = value.prefix { byte in
      ![0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","), UInt8(ascii: "}")].contains(byte)
    }
    guard word.endIndex < value.endIndex else { return .nothing }
    let text = String(decoding: word.prefix(longestNumber + 1), as: UTF8.self)
    if text == "null" { return .nothing }
    guard text.utf8.count <= longestNumber,
      text.allSatisfy({ $0.isASCII && ($0.isNumber || "-+.eE".contains($0)) }),
      let number = Double(text), number >= 0
    else { return .nonsense }
    return .tokens(Int(cut: number))
  }
}
