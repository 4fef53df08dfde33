// A secret that is kept in a file of its own: the gateway's credential, the metrics token.

import Wire

package struct Credential: Sendable, CustomStringConvertible {
  package let secret: String
  package var description: String { "credential" }

  package struct Unreadable: Error, CustomStringConvertible {
    package let description: String
  }

  /// - Parameter isInUse: the gateway runs with it already; see `SecretFile.read`.
  package init(file path: String, isInUse: Bool = false) throws(Unreadable) {
    let text: String?
    do {
      text = try SecretFile.read(path, isInUse: isInUse)
    } catch {
      throw Unreadable(description: "\(error)")
    }
    guard let text else {
      throw Unreadable(
        description: "cannot read the credential file '\(path)': name a file that exists and that "
          + "this user may read")
    }
    guard let first = text.split(whereSeparator: \.isNewline).first, !first.contains(" ") else {
      throw Unreadable(
        description: "the credential file '\(path)' must hold one line, the credential alone")
    }
    secret = String(first)
  }
}
