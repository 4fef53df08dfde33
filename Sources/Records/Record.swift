// Structs as their source declares them: the one list of fields that every coder is written from.
//
// The source is read line by line, which its formatter allows: a declaration begins on a line of its own,
// what is in it stands two spaces further in, and its end is a brace as far out as it began.

/// A struct that asks for coders.
package struct Record: Equatable, Sendable {
  package struct Field: Equatable, Sendable {
    package let name: String
    /// As written; nil when it follows from a value.
    package let type: String?
    /// Where it stands, for messages.
    package let line: Int

    package init(name: String, type: String?, line: Int) {
      self.name = name
      self.type = type
      self.line = line
    }

    var isOptional: Bool { type?.hasSuffix("?") == true }
  }

  /// With the types around it: `Launch.Readiness`.
  package let name: String
  /// What it says that it conforms to.
  package let protocols: [String]
  /// Those that are stored, in their order.
  package let fields: [Field]

  package init(name: String, protocols: [String], fields: [Field]) {
    self.name = name
    self.protocols = protocols
    self.fields = fields
  }
}

extension Record {
  /// All structs of a source file, in the order of their beginnings.
  package static func read(_ source: String) -> [Record] {
    var reader = SourceReader(source)
    return reader.records()
  }
}

private struct SourceReader {
  private struct Scope {
    let indent: Int
    let name: String?
    /// Its place among the records, when it is a struct.
    let record: Int?
  }

  private let lines: [Substring]
  private var index = 0
  private var scopes: [Scope] = []
  private var found: [(name: String, protocols: [String], fields: [Record.Field])] = []

  init(_ source: String) {
    lines = source.split(separator: "\n", omittingEmptySubsequences: false)
  }

  mutating func records() -> [Record] {
    while index < lines.count {
      read()
      index += 1
    }
    return found.map { Record(name: $0.name, protocols: $0.protocols, fields: $0.fields) }
  }

  private mutating func read() {
    let line = lines[index]
    let indent = line.prefix { $0 == " " }.count
    let text = line.dropFirst(indent)
    guard !text.isEmpty, !text.hasPrefix("//") else { return }
    while let scope = scopes.last, indent <= scope.indent { scopes.removeLast() }
    // What stands further in than a scope's own declarations is a body or goes on with a line.
    guard indent == (scopes.last?.indent ?? -2) + 2 else { return }

    let words = text.split(separator: " ").map(String.init)
    let start = words.firstIndex { !Self.isModifier($0) } ?? 0
    guard start < words.count else { return }
    switch words[start] {
    case "struct", "enum", "extension", "class", "actor", "protocol":
      declaration(words[start], indent: indent)
    case "let", "var":
      if let record = scopes.last?.record, !words.contains("static") {
        field(of: record, from: text, keyword: words[start])
      }
    default: break
    }
  }

  private static func isModifier(_ word: String) -> Bool {
    word.hasPrefix("@")
      || [
        "package", "public", "private", "fileprivate", "internal", "final", "indirect", "static",
        "private(set)", "fileprivate(set)", "internal(set)", "nonisolated", "lazy", "mutating",
      ].contains(word)
  }

  /// The head of a type, which may go over lines, up to its brace.
  private mutating func declaration(_ kind: String, indent: Int) {
    var head = ""
    while index < lines.count {
      let line = lines[index].drop { $0 == " " }
      if let brace = line.firstIndex(of: "{") {
        head += line[..<brace]
        // A body on the same line holds no fields.
        if !line.hasSuffix("{") { return note(kind, head, indent: indent, isOpen: false) }
        return note(kind, head, indent: indent, isOpen: true)
      }
      head += line + " "
      index += 1
    }
  }

  private mutating func note(_ kind: String, _ head: String, indent: Int, isOpen: Bool) {
    guard let keyword = head.range(of: kind + " ") else { return }
    let rest = head[keyword.upperBound...]
    let own = String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." })
    let name = (scopes.compactMap(\.name) + [own]).joined(separator: ".")
    var record: Int?
    if kind == "struct" {
      var protocols: [String] = []
      if let colon = Self.colon(in: rest.dropFirst(own.count)) {
        let list = rest[rest.index(after: colon)...]
        let end = list.range(of: " where ")?.lowerBound ?? list.endIndex
        protocols = list[..<end].split(separator: ",").map {
          String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
      }
      record = found.count
      found.append((name, protocols, []))
    }
    if isOpen { scopes.append(Scope(indent: indent, name: own, record: record)) }
  }

  /// That before what a type conforms to; one within `<…>` is not it.
  private static func colon(in text: Substring) -> Substring.Index? {
    var depth = 0
    for index in text.indices {
      switch text[index] {
      case "<": depth += 1
      case ">": depth -= 1
      case ":" where depth == 0: return index
      default: break
      }
    }
    return nil
  }

  private mutating func field(of record: Int, from text: Substring, keyword: String) {
    var text = String(text)
    let line = index + 1
    // A type, or a value, that begins on the next line.
    if text.hasSuffix(":") || text.hasSuffix("="), index + 1 < lines.count {
      index += 1
      text += " " + lines[index].drop { $0 == " " }
    }
    guard let start = text.range(of: keyword + " ")?.upperBound else { return }
    // What stands behind it is said of it, and no part of it.
    let rest = text[start..<(text.range(of: " //")?.lowerBound ?? text.endIndex)]
    let name = String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
    let tail = rest.dropFirst(name.count)
    let value = tail.range(of: " = ")
    // A brace without a value before it is a body. Behind one that watches the field, it is stored all the
    // same; else it is worked out.
    let body = tail.firstIndex(of: "{").flatMap { brace in
      value.map { brace < $0.lowerBound } ?? true ? brace : nil
    }
    if let body, !isWatched(tail[body...]) { return }
    var type: String?
    if tail.hasPrefix(": ") {
      let end = body ?? value?.lowerBound ?? tail.endIndex
      type = String(
        tail[tail.index(tail.startIndex, offsetBy: 2)..<end].reversed().drop { $0 == " " }
          .reversed())
    }
    found[record].fields.append(Record.Field(name: name, type: type, line: line))
  }

  private func isWatched(_ body: Substring) -> Bool {
    let next = index + 1 < lines.count ? lines[index + 1] : ""
    return [body.dropFirst().drop { $0 == " " }, next.drop { $0 == " " }].contains {
      $0.hasPrefix("didSet") || $0.hasPrefix("willSet")
    }
  }
}

extension StringProtocol {
  /// The first place of a text in this one.
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) {
        return start..<index(start, offsetBy: text.count)
      }
      start = index(after: start)
    }
    return nil
  }
}
