// How much text a stream has brought: the bytes of those strings of its events that are a model's words. It
// reads no values, and keeps the beginning of one string.

struct TextCount: Sendable {
  /// What models' words are called, in chats, completions, and calls of tools.
  private static let names: Set<[UInt8]> = Set(
    ["content", "text", "reasoning_content", "reasoning", "refusal", "arguments"]
      .map { Array($0.utf8) })
  private static let longestName = 20

  private enum Place { case outside, name, words }

  private(set) var bytes = 0
  private var place = Place.outside
  private var isEscaped = false
  /// The string that was read last, if it may be a name.
  private var string: [UInt8] = []
  /// It was followed by a colon.
  private var isNamed = false

  mutating func feed(_ part: UnsafeRawBufferPointer) { for byte in part { take(byte) } }

  private mutating func take(_ byte: UInt8) {
    // No string has a line's end in it: whatever was misread ends here.
    if byte == 0x0A || byte == 0x0D {
      (place, isEscaped, isNamed) = (.outside, false, false)
    } else if place == .outside {
      switch byte {
      case UInt8(ascii: "\""):
        place = isNamed && Self.names.contains(string) ? .words : .name
        isNamed = false
        string.removeAll(keepingCapacity: true)
      case UInt8(ascii: ":"): isNamed = true
      case 0x20, 0x09: break
      default: isNamed = false
      }
    } else if byte == UInt8(ascii: "\""), !isEscaped {
      place = .outside
    } else {
      isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
      if place == .words {
        bytes += 1
      } else if string.count <= Self.longestName {
        string.append(byte)
      }
    }
  }
}
