// What people see: a line for each step with its time. On a terminal, the oldest step under way
// turns after a second.

import Glibc
import Synchronization
import Time
import Wire

final class Console: Sendable {
  private static let spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
  private static let turnsPerSecond = 10
  static let tick: Duration = .milliseconds(1_000 / turnsPerSecond)
  /// Steps quicker than this do not turn.
  private static let quiet: Duration = .seconds(1)
  private static let textColumns = 42

  private struct UnderWay {
    var steps: [(text: String, start: Clocks.Instant)] = []
    var turns = 0
    /// Whether the spinner stands on the last line.
    var drawn = false
  }

  private let isTerminal = isatty(STDOUT_FILENO) == 1
  private let underWay = Mutex(UnderWay())

  func show(_ line: ProgressLine) {
    underWay.withLock { underWay in
      if underWay.drawn { Self.write("\r\u{1B}[K") }
      underWay.drawn = false
      switch line.kind {
      case .begun: underWay.steps.append((line.text, clocks.now))
      case .done:
        underWay.steps.removeAll { $0.text == line.step }
        let gap = String(repeating: " ", count: max(1, Self.textColumns - line.text.count))
        Self.write("  \(line.text)\(gap)\((line.seconds ?? 0).oneDecimal) s\n")
      case .note: Self.write("  \(line.text)\n")
      case .failed, .ready: underWay.steps = []
      }
    }
  }

  /// Turns what is under way; to be called every `tick`.
  func turn() {
    guard isTerminal else { return }
    underWay.withLock { underWay in
      guard let step = underWay.steps.first else { return }
      let elapsed = clocks.now - step.start
      guard elapsed >= Self.quiet else { return }
      underWay.turns += 1
      underWay.drawn = true
      let mark = Self.spinner[underWay.turns % Self.spinner.count]
      Self.write("\r\u{1B}[K\(mark) \(step.text), \(Int(elapsed.inSeconds)) s")
    }
  }

  /// Turns until the task is cancelled.
  func keepTurning() async {
    while (try? await clocks.sleep(for: Self.tick)) != nil { turn() }
  }

  static func say(_ text: String) { write(text + "\n") }

  static func complain(_ failure: UpFailure) {
    write("error: \(failure)\n", to: STDERR_FILENO)
  }

  private static func write(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}

/// What a running system looks like, and how to go on.
enum Summary {
  static func text(_ layout: Layout, _ settings: SystemSettings, opening: String) -> String {
    var lines = ["", opening, "", "  API       \(settings.apiURL)"]
    if settings.gateway { lines.append("  gateway   \(settings.gatewayURL)/v1") }
    lines.append("  token     \(layout.adminToken)")
    lines.append("  nodes     \(nodes(settings))")
    lines.append("  data      \(layout.data)")
    lines.append("  logs      \(layout.logs)")
    let isUsual = layout == Layout.named(nil)
    let isAlone = UpFile.running().allSatisfy { $0.data == layout.data }
    let which = " --data \(Shell.quoted(layout.data))"
    lines += [
      "", "SQL, and wharfd's own verbs:",
      "  export WHARF_DATABASE_URL='\(Database.url(SocketFolder.path(layout)))'",
      "", "Go on with   wharf status\(isAlone ? "" : which)",
      "Stop it with wharf down\(isUsual && isAlone ? "" : which)",
    ]
    return lines.joined(separator: "\n")
  }

  private static func nodes(_ settings: SystemSettings) -> String {
    let names = settings.nodeNames
    guard let first = names.first, let last = names.last else { return "none" }
    let which = names.count == 1 ? first : "\(first) … \(last)"
    return switch settings.devices {
    case "auto": "\(which), with the devices of this machine"
    case "none": "\(which), without devices"
    default: "\(which), with \(settings.devices) each, simulated"
    }
  }
}
