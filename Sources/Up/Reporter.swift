// Where progress goes: to people on the console, or from the background into the log and, while it
// is open, through the pipe to the `wharf up --detach` that waits.

import Glibc
import Hosting
import Time

struct Reporter: Sendable {
  private let console = Console()
  private let descriptor: Int32?

  init(descriptor: Int32?) {
    self.descriptor = descriptor
    // No program of ours is to hold it open.
    if let descriptor { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
  }

  var report: Report {
    guard let descriptor else { return { [console] in console.show($0) } }
    return { line in
      Self.log(line)
      Self.send(line, to: descriptor)
    }
  }

  func begin(_ title: String) {
    if descriptor == nil {
      Console.say(title)
    } else {
      Self.log(ProgressLine(kind: .note, text: title))
    }
  }

  func ready(_ layout: Layout, _ settings: SystemSettings, _ opening: String) {
    report(ProgressLine(kind: .ready, text: opening))
    if descriptor == nil { Console.say(Summary.text(layout, settings, opening: opening)) }
  }

  func keepTurning() async {
    if descriptor == nil { await console.keepTurning() }
  }

  /// Whoever waited may be gone: then nobody is told.
  private static func send(_ line: ProgressLine, to descriptor: Int32) {
    let bytes = line.jsonBytes + [UInt8(ascii: "\n")]
    _ = write(descriptor, bytes, bytes.count)
  }

  private static func log(_ line: ProgressLine) {
    let text =
      switch line.kind {
      case .begun: "\(line.text) …"
      case .done: "\(line.text) (\((line.seconds ?? 0).oneDecimal) s)"
      case .note, .ready: line.text
      case .failed: "failed: \(line.failure)"
      }
    Console.say("\(clocks.date) \(text)")
  }
}
