// What is written where: stdout for answers, stderr for everything else; how wide, and in colour or
// not.

import Glibc

struct Terminal: Sendable {
  static let standardWidth = 100
  static let narrowest = 20

  let width: Int
  let hasColour: Bool
  /// Stdout is a terminal that can be drawn over.
  let isInteractive: Bool

  static let current = Terminal(.process)

  init(width: Int, hasColour: Bool, isInteractive: Bool = false) {
    self.width = width
    self.hasColour = hasColour
    self.isInteractive = isInteractive
  }

  init(_ around: Surroundings) {
    isInteractive = isatty(STDOUT_FILENO) == 1
    hasColour = isInteractive && around["NO_COLOR"] == nil && around["TERM"] != "dumb"
    var size = winsize()
    let measured = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    let wanted = around["COLUMNS"].flatMap { Int($0) } ?? (measured > 0 ? measured : nil)
    width = max(Self.narrowest, wanted ?? Self.standardWidth)
  }

  /// Writes a text to stdout, with a newline at its end.
  static func say(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

  /// Writes a line to stderr.
  static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  /// Draws over what was there, on a terminal; elsewhere one text follows the other.
  func redraw(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let drawn = "\u{1B}[H" + lines.map { "\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J"
    Self.write(isInteractive ? drawn : text + "\n", to: STDOUT_FILENO)
  }

  /// A reader who went away ends us as silently as it would have by a signal.
  private static func write(_ text: String, to file: Int32) {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count > 0 {
        sent += count
      } else if errno != EINTR {
        exit(file == STDOUT_FILENO && errno == EPIPE ? 0 : 1)
      }
    }
  }
}

enum Tint: String, Sendable {
  case good = "32"
  case warning = "33"
  case bad = "31"
  case dim = "2"
  case strong = "1"

  func applied(to text: String, _ terminal: Terminal) -> String {
    terminal.hasColour && !text.isEmpty ? "\u{1B}[\(rawValue)m\(text)\u{1B}[0m" : text
  }
}
