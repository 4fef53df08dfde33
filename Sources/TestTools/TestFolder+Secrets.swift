// Secrets in a test's folder.

import Foundation

extension TestFolder {
  /// Writes a secret as programs take one: closed to others.
  package func write(secret: String, to name: String) throws {
    guard
      FileManager.default.createFile(
        atPath: path(name), contents: Data(secret.utf8), attributes: [.posixPermissions: 0o600])
    else { throw CocoaError(.fileWriteUnknown) }
  }
}
