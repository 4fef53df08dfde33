// How many tokens an answer cost: as the engine says in `usage`, which stands near the end of an
// answer and in the last part of a stream, else estimated by the text that a stream brought. It keeps only the
// end of what passes.

import NIOCore

struct UsageMeter: Sendable {
  /// `usage` is looked for in so much of the end.
  static let tailBytes = 4096
  private var tail: [UInt8] = []
  private var events = 0
  private var bytes = 0
  private var text = TextCount()
  private let requestBytes: Int

  init(requestBytes: Int) { self.requestBytes = requestBytes }

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

  /// Prompt and answer together.
  var tokens: Int {
    if let said = Self.totalTokens(in: tail) { return said }
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

  /// The number of the last `"total_tokens"`. Within a text of the model the quotes are escaped, so
  /// it cannot be imitated there.
  static func totalTokens(in bytes: [UInt8]) -> Int? {
    let field = Array("\"total_tokens\"".utf8)
    var start = bytes.count - field.count
    while start >= 0 {
      if bytes[start] == field[0], bytes[start..<start + field.count].elementsEqual(field) {
        return number(after: start + field.count, in: bytes)
      }
      start -= 1
    }
    return nil
  }

  private static func number(after start: Int, in bytes: [UInt8]) -> Int? {
    var index = start
    while index < bytes.count, [0x20, 0x3A].contains(bytes[index]) { index += 1 }
    var value: Int?
    while index < bytes.count, (48...57).contains(bytes[index]), (value ?? 0) < 1 << 40 {
      value = (value ?? 0) * 10 + Int(bytes[index] - 48)
      index += 1
    }
    return value
  }
}
