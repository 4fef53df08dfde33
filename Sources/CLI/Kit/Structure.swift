// Replies as JSON for people and programs, and as YAML: the same fields as the API's, in its order.

import Hosting
import Yams

enum Structure {
  /// JSON over lines, indented by two.
  static func json(_ body: [UInt8]) throws -> String {
    try json(JSONValue(document: body), indent: "")
  }

  private static func json(_ value: JSONValue, indent: String) throws -> String {
    let inner = indent + "  "
    switch value.text.first {
    case UInt8(ascii: "{"):
      let fields = try value.fields()
      if fields.isEmpty { return "{}" }
      let lines = try fields.map { field in
        var key = JSONWriter()
        key.string(field.key)
        return inner + String(decoding: key.bytes, as: UTF8.self) + ": "
          + (try json(field.value, indent: inner))
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    case UInt8(ascii: "["):
      let elements = try value.list()
      if elements.isEmpty { return "[]" }
      let lines = try elements.map { inner + (try json($0, indent: inner)) }
      return "[\n" + lines.joined(separator: ",\n") + "\n\(indent)]"
    default:
      return line(value.text)
    }
  }

  /// JSON on one line, with characters that mislead the eye by their numbers.
  static func line(_ json: [UInt8]) -> String {
    escaped(String(decoding: json, as: UTF8.self))
  }

  /// In strings of JSON, and of YAML in double quotes, a character may stand as its number.
  private static func escaped(_ text: String) -> String {
    guard Misleading.first(in: text) != nil else { return text }
    return text.unicodeScalars.reduce(into: "") { whole, scalar in
      if scalar != "\n", scalar != "\u{200D}", Misleading.isOne(scalar) {
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          whole += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      } else {
        whole.unicodeScalars.append(scalar)
      }
    }
  }

  static func yaml(_ body: [UInt8]) throws -> String {
    let text = try Yams.serialize(
      node: node(JSONValue(document: body)), width: -1, allowUnicode: true)
    return escaped(text.trimmingCharacters { $0.isNewline })
  }

  private static func node(_ value: JSONValue) throws -> Yams.Node {
    switch value.text.first {
    case UInt8(ascii: "{"):
      return .mapping(
        Yams.Node.Mapping(try value.fields().map { (scalar($0.key), try node($0.value)) }))
    case UInt8(ascii: "["):
      return .sequence(Yams.Node.Sequence(try value.list().map { try node($0) }))
    case UInt8(ascii: "\""):
      return scalar(try value.string())
    default:
      return .scalar(Yams.Node.Scalar(String(decoding: value.text, as: UTF8.self)))
    }
  }

  /// A string that YAML would read as something else is quoted.
  private static func scalar(_ text: String) -> Yams.Node {
    if text.contains(where: \.isNewline) || Misleading.first(in: text) != nil {
      return .scalar(Yams.Node.Scalar(text, Tag(.str), .doubleQuoted))
    }
    let plain = Yams.Node.Scalar(text)
    let isString = Resolver.default.resolveTag(of: .scalar(plain)) == .str && !text.isEmpty
    return .scalar(isString ? plain : Yams.Node.Scalar(text, Tag(.str), .singleQuoted))
  }
}
