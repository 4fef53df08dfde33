// Our files in the words of `wharf up`: what keeps it from them, and what would help.

import Glibc
import Hosting
import Machine
import Time
import Wire

extension Files {
  /// The last lines of a file, for an error that shows why a program ended.
  static func tail(_ path: String, lines: Int = 8) -> [String] {
    let text = String(decoding: tail(path, bytes: 8_192), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).suffix(lines).map(String.init)
  }

  /// The same, each thing said once: a program that was tried three times fails with the same words.
  static func tailWithoutRepetition(_ path: String) -> [String] {
    var said: Set<Substring> = []
    let newestFirst = tail(path).reversed().filter { line in
      // But for the moment at its beginning.
      said.insert(line.first?.isNumber == true ? line.drop { $0 != " " } : line[...]).inserted
    }
    return newestFirst.reversed()
  }

  /// Puts a file in place of the one before, which stays whole until then.
  static func replace(_ path: String, _ bytes: [UInt8]) throws(UpFailure) {
    do { try write(bytes, to: path) } catch { throw UpFailure(error) }
  }

  /// Makes a folder that is ours, and those above it, which others may pass.
  static func prepareFolder(_ path: String, mode: mode_t = 0o700) throws(UpFailure) {
    do { try makeFolder(path, mode: mode, above: 0o755) } catch { throw UpFailure(error) }
  }

  static func failure(_ attempt: String, _ path: String) -> UpFailure {
    UpFailure(FileProblem(attempted: attempt, path: path))
  }
}

extension UpFailure {
  init(_ problem: FileProblem) {
    let help: String? =
      switch problem.code {
      case EACCES, EPERM, EROFS:
        "run as a user that may write there, or choose another folder with --data DIR"
      case ENOTDIR, EEXIST: "something else is in its place: choose another folder with --data DIR"
      case ENOSPC, EDQUOT: "free some space, or choose another folder with --data DIR"
      default: nil
      }
    self.init("\(problem)", help: help)
  }
}

/// A secret of ours in a file: made once, on disk before anyone is told of it.
enum SecretFiles {
  static func read(_ path: String) throws(UpFailure) -> Secret? {
    let text: String?
    do { text = try SecretFile.read(path) } catch {
      throw UpFailure(error.message, help: error.help)
    }
    return text?.split(whereSeparator: \.isWhitespace).first.map { Secret(text: String($0)) }
  }

  static func readOrMake(_ path: String, _ use: Secret.Use) throws(UpFailure) -> Secret {
    if let known = try read(path) { return known }
    var random = clocks.random
    let secret = Secret(use, using: &random)
    try Files.replace(path, Array((secret.text + "\n").utf8))
    return secret
  }
}
