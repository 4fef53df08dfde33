// Files that hold a secret, of whichever program: written with mode 0600, whole and synced before anyone relies on
// them, and read only while nobody else may read or change them. The rule is libpq's for keys: a file of one's own is
// closed to all others (0600); one of root's may be open to its group (0640), as systemd and Kubernetes hand
// secrets to programs.

import Glibc
import Hosting
import Machine

package enum SecretFile {
  package struct Failure: Error, CustomStringConvertible {
    package let message: String
    package let help: String
    package var description: String { "\(message); \(help)" }

    package init(_ message: String, help: String) {
      self.message = message
      self.help = help
    }
  }

  /// A secret is short.
  package static let longestBytes = 4_096

  private static let ownFolder = "check that its folder exists and is ours"
  private static let openOfOwn: mode_t = 0o077
  private static let openOfRoots: mode_t = 0o037

  /// The text of the file, without its last newline; none if there is no such file.
  ///
  /// - Parameter isInUse: of a program that has it already and runs: it is not ended by a file that became open
  ///   since, which the next start refuses.
  package static func read(
    _ path: String, longest: Int = longestBytes, isInUse: Bool = false
  ) throws(Failure) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("read", path)
    }
    defer { close(file) }
    if !isInUse { try check(file, path) }
    var buffer = [UInt8](repeating: 0, count: longest + 1)
    let count = Glibc.read(file, &buffer, buffer.count)
    guard count >= 0 else { throw failure("read", path) }
    guard count <= longest else {
      throw Failure(
        "\(path) is longer than \(longest) bytes, and no file of a secret",
        help: "name the file that holds the secret alone")
    }
    return String(decoding: buffer[0..<count], as: UTF8.self)
      .trimmingSuffix { $0.isNewline || $0.isWhitespace }
  }

  /// Of the file that is open, so that none is put in its place meanwhile. Pipes (`<(…)`) have no others.
  private static func check(_ file: Int32, _ path: String) throws(Failure) {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("look at", path) }
    guard status.st_mode & S_IFMT == S_IFREG else { return }
    let own = geteuid()
    guard status.st_uid == own || status.st_uid == 0 else {
      throw Failure(
        "cannot use the secret in \(path): the file is another user's (\(status.st_uid)), who may read and "
          + "change it",
        help: "sudo chown \(own) \(Shell.quoted(path))")
    }
    let excess = status.st_mode & (status.st_uid == 0 ? openOfRoots : openOfOwn)
    guard excess != 0 else { return }
    throw Failure(
      "cannot use the secret in \(path): others may \(excess & 0o044 != 0 ? "read" : "change") it, so "
        + "they may know it already",
      help:
        "\(status.st_uid == own ? "chmod 600" : "sudo chmod 640") \(Shell.quoted(path)) closes it; a secret "
        + "that somebody saw is made anew")
  }

  /// Writes a new file under a temporary name and moves it in place; never overwrites one.
  package static func create(_ path: String, _ text: String) throws(Failure) {
    do throws(FileProblem) {
      let file = try NewFile(path)
      try file.write(Array((text + "\n").utf8))
      try file.create()
    } catch {
      throw Failure("\(error)", help: ownFolder)
    }
  }

  private static func failure(_ attempt: String, _ path: String) -> Failure {
    Failure("\(FileProblem(attempted: attempt, path: path))", help: ownFolder)
  }
}

extension String {
  fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> String {
    var text = self[...]
    while let last = text.last, matches(last) { text.removeLast() }
    return String(text)
  }
}
