// A document file: its text, and how a place in it is named.

import Glibc
import Hosting
import Yams

struct SourceFile {
  static let limitBytes = 4 << 20
  private static let chunkBytes = 65_536

  /// As it was given; `stdin` for `-`.
  let name: String
  let text: String

  init(name: String, text: String) {
    self.name = name
    self.text = text
  }

  static func read(_ path: String) throws(Failure) -> SourceFile {
    let name = path == "-" ? "stdin" : path
    let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw unreadable(name, String(cString: strerror(errno))) }
    defer { if file != STDIN_FILENO { close(file) } }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: chunkBytes)
    while true {
      let count = Glibc.read(file, &chunk, chunk.count)
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        throw unreadable(name, String(cString: strerror(errno)))
      }
      bytes += chunk[0..<count]
      guard bytes.count <= limitBytes else {
        throw unreadable(name, "it is longer than \(limitBytes) bytes")
      }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw unreadable(name, "it is not UTF-8 text")
    }
    return SourceFile(name: name, text: text)
  }

  private static func unreadable(_ name: String, _ reason: String) -> Failure {
    Failure(.refused, "cannot read \(name): \(reason)", help: "name a file of YAML documents")
  }

  /// What is wrong, and where: `seeds/story.yaml:12:5: …`
  func failure(_ reason: String, at mark: Yams.Mark? = nil, help: String? = nil) -> Failure {
    let place = mark.map { "\(name):\($0.line):\($0.column)" } ?? name
    return Failure(.refused, "\(place): \(reason)", help: help)
  }
}
