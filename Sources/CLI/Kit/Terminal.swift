// What is written where: stdout for answers, stderr for everything else; how wide, and in colour or
// not.

import Glibc
import Hosting

struct Terminal: Sendable {
  static let standardWidth = 100
  static let narrowest = 20

  /// None where nothing is cut: what goes into a pipe or file is for programs, and for later.
  let width: Int?
  let hasColour: Bool
  /// Stdout is a terminal that can be drawn over.
  let isInteractive: Bool

  static let current = Terminal(.process, isInteractive: isatty(STDOUT_FILENO) == 1)

  init(width: Int?, hasColour: Bool, isInteractive: Bool = false) {
    self.width = width
    self.hasColour = hasColour
    self.isInteractive = isInteractive
  }

  init(_ around: Surroundings, isInteractive: Bool) {
    self.isInteractive = isInteractive
    hasColour = isInteractive && around["NO_COLOR"] == nil && around["TERM"] != "dumb"
    guard isInteractive else {
      width = nil
      return
    }
    var size = winsize()
    let measured = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 ? Int(size.ws_col) : 0
    // A width of 0 is what programs say that do not know it.
    let known = [around["COLUMNS"].flatMap { Int($0) } ?? 0, measured, Self.standardWidth]
    width = max(Self.narrowest, known.first { $0 > 0 } ?? Self.standardWidth)
  }

  /// Writes a text to stdout, with a newline at its end.
  static func say(_ text: String) { write(safe(text) + "\n", to: STDOUT_FILENO) }

  /// Writes a line to stderr.
  static func note(_ text: String) { write(safe(text) + "\n", to: STDERR_FILENO) }

  /// Writes what is shown only once, and sees to it that it arrived.
  ///
  /// - Returns: why it did not, if so.
  static func sayForKeeps(_ text: String) -> String? {
    if let problem = send(safe(text) + "\n", to: STDOUT_FILENO) {
      return String(cString: strerror(problem))
    }
    // A full disk may be told only here. Pipes and terminals cannot be synced, and need not be.
    guard fsync(STDOUT_FILENO) != 0, ![EINVAL, EROFS, ENOTSUP].contains(errno) else { return nil }
    return String(cString: strerror(errno))
  }

  /// Draws over what was there, on a terminal; elsewhere one text follows the other.
  func redraw(_ text: String) {
    let text = Self.safe(text)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let drawn = "\u{1B}[H" + lines.map { "\($0)\u{1B}[K\n" }.joined() + "\u{1B}[J"
    Self.write(isInteractive ? drawn : text + "\n", to: STDOUT_FILENO)
  }

  /// Characters that mislead the eye are shown by their numbers; lines and our own colours stay.
  static func safe(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.split(separator: "\u{1B}", omittingEmptySubsequences: false)
        .map {
          $0.split(separator: "\t", omittingEmptySubsequences: false)
            .map { Misleading.shown(String($0)) }.joined(separator: "\t")
        }
        .joined(separator: "\u{1B}")
    }.joined(separator: "\n")
  }

  /// A reader who went away ends us as silently as it would have by a signal.
  private static func write(_ text: String, to file: Int32) {
    guard let problem = send(text, to: file) else { return }
    if file == STDOUT_FILENO {
      if problem == EPIPE { exit(0) }
      let reason = String(cString: strerror(problem))
      _ = send("error: cannot write the answer to stdout: \(reason)\n", to: STDERR_FILENO)
    }
    exit(1)
  }

  /// - Returns: the error, if it could not be written whole.
  private static func send(_ text: String, to file: Int32) -> Int32? {
    let bytes = Array(text.utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        // Somebody before us in the pipe's life asked not to wait.
        var look = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        _ = poll(&look, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return nil
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
