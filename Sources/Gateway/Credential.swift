// A secret that is kept in a file of its own: the gateway's credential, the metrics token.

import FoundationEssentials

package struct Credential: Sendable, CustomStringConvertible {
  static let longestBytes = 4096

  package let secret: String
  package var description: String { "credential" }

  package struct Unreadable: Error, CustomStringConvertible {
    package let description: String
  }

  package init(file path: String) throws(Unreadable) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw Unreadable(
        description: "cannot read the credential file '\(path)': name a file that exists and that "
          + "this user may read")
    }
    let lines = String(decoding: data.prefix(Self.longestBytes), as: UTF8.self)
      .split(whereSeparator: \.isNewline)
    guard let first = lines.first, !first.contains(" ") else {
      throw Unreadable(
        description: "the credential file '\(path)' must hold one line, the credential alone")
    }
    secret = String(first)
  }
}
