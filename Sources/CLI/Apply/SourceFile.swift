// Reading a document file, whole and within a limit.

import Glibc
import Hosting
import Wire

enum SourceFile {
  static let limitBytes = 4 << 20
  private static let chunkBytes = 65_536

  static func read(_ path: String) throws(Failure) -> SourceText {
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
    return SourceText(name: name, text: text)
  }

  private static func unreadable(_ name: String, _ reason: String) -> Failure {
    Failure(.refused, "cannot read \(name): \(reason)", help: "name a file of YAML documents")
  }
}
