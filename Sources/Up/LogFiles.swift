// Logs of programs are files that they write to themselves, so that they need no supervisor to go
// on. What bounds them is a look at their size now and then: the log is copied to NAME.log.1 and
// emptied. A line written between the two is lost; nothing else is.

import Glibc
import Machine

enum LogFiles {
  static let longestBytes: off_t = 16 << 20

  static func keepShort(_ layout: Layout, longest: off_t = longestBytes) {
    for name in Files.names(in: layout.logs) where name.hasSuffix(".log") {
      let path = "\(layout.logs)/\(name)"
      var facts = stat()
      guard stat(path, &facts) == 0, facts.st_size > longest else { continue }
      guard copy(path, to: "\(path).1") else { continue }
      truncate(path, 0)
    }
  }

  private static func copy(_ path: String, to target: String) -> Bool {
    let source = open(path, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { return false }
    defer { close(source) }
    let copy = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard copy >= 0 else { return false }
    defer { close(copy) }
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(source, &buffer, buffer.count)
      if count == 0 { return true }
      guard count > 0, write(copy, buffer, count) == count else { return false }
    }
  }
}
