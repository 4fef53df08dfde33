// Characters that mislead the eye: a text that holds one is not what it looks like. They are refused where
// words come in, and shown escaped where they are old.

package enum Misleading {
  /// Controls, line and paragraph separators, and what is invisible or turns the writing round.
  package static func isOne(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20..<0x7F: return false
    // Soft hyphen; grapheme joiner; Arabic letter mark; fillers that are blank; Mongolian vowel separator.
    case 0xAD, 0x34F, 0x61C, 0x115F...0x1160, 0x17B4...0x17B5, 0x180B...0x180F, 0x3164, 0xFFA0:
      return true
    // Zero width, directions, separators, invisible operators, isolates.
    case 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF, 0xFFF9...0xFFFB: return true
    // Tags, and variation selectors of ideographs.
    case 0xE0000...0xE0FFF: return true
    default: return scalar.properties.generalCategory == .control
    }
  }

  /// The first one in a text. A joiner between two emoji makes one picture of them and is none.
  package static func first(in text: String) -> Unicode.Scalar? {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return nil }
    let scalars = Array(text.unicodeScalars)
    return scalars.indices.first { isOne(scalars[$0]) && !joins(scalars, at: $0) }.map {
      scalars[$0]
    }
  }

  private static func joins(_ scalars: [Unicode.Scalar], at index: Int) -> Bool {
    guard scalars[index].value == 0x200D, index > 0, index + 1 < scalars.count else { return false }
    let before = scalars[index - 1]
    return
      (before.properties.isEmoji || before.value == 0xFE0F || before.properties.isEmojiModifier)
      && before.value > 0x7F && scalars[index + 1].properties.isEmoji
      && scalars[index + 1].value > 0x7F
  }

  /// For people: each such character by its number, `\u{202E}`.
  package static func shown(_ text: String) -> String {
    guard first(in: text) != nil else { return text }
    let scalars = Array(text.unicodeScalars)
    var shown = ""
    for index in scalars.indices {
      if isOne(scalars[index]), !joins(scalars, at: index) {
        shown += name(scalars[index])
      } else {
        shown.unicodeScalars.append(scalars[index])
      }
    }
    return shown
  }

  private static func name(_ scalar: Unicode.Scalar) -> String {
    "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
  }

  package static func check(_ text: String) throws(Malformed) {
    guard let scalar = first(in: text) else { return }
    throw Malformed(
      "it holds the character \(name(scalar)), which misleads the eye: leave it out")
  }

  /// Refuses a document that holds one in any of its texts.
  package static func check(_ json: JSONValue) throws(JSONProblem) {
    // Nearly every document is plain ASCII without escapes of control characters.
    if json.text.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) { return }
    switch json.text.first {
    case UInt8(ascii: "{"):
      for field in try json.fields() {
        guard first(in: field.key) == nil else {
          throw JSONProblem(
            "the name of a field holds a character that misleads the eye",
            at: shown(field.key.shortened(to: 40)))
        }
        do { try check(field.value) } catch { throw error.inside(field.key.shortened(to: 40)) }
      }
    case UInt8(ascii: "["):
      for (index, element) in try json.list().enumerated() {
        do { try check(element) } catch { throw error.inside("[\(index)]") }
      }
    case UInt8(ascii: "\""):
      // What a program is started with may have several lines.
      let text = try json.string().unicodeScalars.filter { $0 != "\n" && $0 != "\t" }
      do { try check(String(String.UnicodeScalarView(text))) } catch {
        throw JSONProblem(error.description)
      }
    default: break
    }
  }
}
