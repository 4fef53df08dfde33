// Names people type, and texts people read. A name is ASCII: no script can be mixed with another,
// no two names look alike but for case, and names are compared without case.

/// A name: 1 to 63 of `a-z A-Z 0-9 . _ -`, starting and ending with a letter or digit. As typed it
/// is kept; two names are the same when they differ only in case.
package struct Name: Sendable {
  package static let longest = 63

  package let text: String

  package init(_ text: String) throws(Malformed) {
    if text.isEmpty { throw Malformed("a name cannot be empty") }
    if text.utf8.count > Self.longest {
      throw Malformed("a name has at most \(Self.longest) characters, this one has \(text.count)")
    }
    guard text.utf8.allSatisfy(Self.allowed) else {
      throw Malformed(
        "'\(text.shortened(to: 40))' is no name: use letters a-z, digits, '.', '_' and '-'")
    }
    guard let first = text.utf8.first, let last = text.utf8.last,
      Self.alphanumeric(first), Self.alphanumeric(last)
    else { throw Malformed("'\(text)' is no name: it must start and end with a letter or a digit") }
    self.text = text
  }

  /// A name that stands in the program, and is one.
  package static func ours(_ text: String) -> Name {
    do { return try Name(text) } catch { preconditionFailure("\(error)") }
  }

  /// The normal form: what uniqueness and look-up go by.
  package var key: String { text.lowercased() }

  private static func alphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }

  private static func allowed(_ byte: UInt8) -> Bool {
    alphanumeric(byte) || byte == 45 || byte == 46 || byte == 95
  }
}

extension Name: Hashable {
  package static func == (a: Name, b: Name) -> Bool { a.key == b.key }
  package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

extension Name: Comparable {
  package static func < (a: Name, b: Name) -> Bool { a.key < b.key }
}

extension Name: CustomStringConvertible {
  package var description: String { text }
}

/// One line of text for people: 1 to 200 characters, none of which misleads the eye.
package struct Text: Hashable, Sendable, CustomStringConvertible {
  package static let longest = 200

  package let value: String

  package init(_ value: String) throws(Malformed) {
    try self.init(stored: value)
    if value.allSatisfy(\.isWhitespace) { throw Malformed("a text cannot be blank") }
    do { try Misleading.check(value) } catch { throw Malformed("a text is plain: \(error)") }
  }

  /// As it stands in a log that may be older than what is refused today.
  package init(stored value: String) throws(Malformed) {
    if value.isEmpty { throw Malformed("a text cannot be empty") }
    // Of printable ASCII a character is a byte, and none is a control character.
    if value.utf8.count <= Self.longest, value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
      self.value = value
      return
    }
    if value.count > Self.longest {
      throw Malformed("a text has at most \(Self.longest) characters, this one has \(value.count)")
    }
    guard !value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { throw Malformed("a text is one line without control characters") }
    self.value = value
  }

  package var description: String { value }
}

/// Why a value is not of the form that its type asks for.
package struct Malformed: Error, Hashable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

extension String {
  /// The first characters, with an ellipsis where something was cut: for messages that repeat input.
  package func shortened(to limit: Int) -> String {
    count <= limit ? self : prefix(limit - 1) + "…"
  }
}

extension Text {
  /// The text of a name: every name is a text.
  package init(naming name: Name) { self.init(known: name.text) }

  private init(known value: String) { self.value = value }
}
