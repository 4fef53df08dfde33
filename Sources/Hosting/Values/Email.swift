// An e-mail address, as far as it can be told without writing to it.

/// Something, `@`, something with no other `@`; printable ASCII without spaces, at most 254 characters
/// (RFC 5321).
package struct Email: Hashable, Sendable, CustomStringConvertible {
  package static let longest = 254

  package let text: String

  package init(_ text: String) throws(Malformed) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard text.utf8.count <= Self.longest, parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw Malformed("'\(text.shortened(to: 40))' is no e-mail address: write ada@example.com")
    }
    self.text = text
  }

  package var description: String { text }
}

extension Email: PersonalValue {
  package init(jsonText: String) throws(Malformed) { try self.init(jsonText) }
  package var jsonText: String { text }
}
