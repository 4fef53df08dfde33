// What a watched view shows, and how old that is: once wharfd was not heard for a while, the screen says since when.

import Hosting
import Synchronization
import Time

/// Shows a text until there is another; a watch of its own tells when nothing was heard for too long, while
/// whoever reads may hang in a read.
final class ShownView: Sendable {
  /// A wharfd that is well is heard every `ReadOptions.refreshSeconds`.
  static let silenceSeconds = 2 * ReadOptions.refreshSeconds

  struct State {
    var text: String?
    var heard = clocks.date
    var isStale = false
    var told: String?

    /// The line that is due now, once.
    mutating func silence(at now: Timestamp) -> String? {
      guard text != nil, !isStale,
        now.seconds(since: heard) >= Double(ShownView.silenceSeconds)
      else { return nil }
      isStale = true
      return line
    }

    /// `not heard since 10:30:07 UTC`
    var line: String {
      return "not heard since \(heard.moment.dropFirst(11)): this is how it was then"
    }
  }

  private let terminal: Terminal
  private let state = Mutex(State())

  init(_ terminal: Terminal) {
    self.terminal = terminal
    Task.detached { [weak self] in
      while true {
        try await clocks.sleep(for: .seconds(1))
        guard let self else { return }
        self.state.withLock {
          if let line = $0.silence(at: clocks.date) { self.mark($0.text ?? "", line) }
        }
      }
    }
  }

  var isSomething: Bool { state.withLock { $0.text != nil } }

  func show(_ text: String) {
    state.withLock {
      if text != $0.text || $0.isStale { terminal.redraw(text) }
      $0 = State(text: text)
    }
  }

  /// It answered, and there may be nothing new.
  func heard() {
    state.withLock {
      if $0.isStale, let text = $0.text { terminal.redraw(text) }
      $0 = State(text: $0.text)
    }
  }

  /// It could not be asked, for a reason that is told once.
  func silent(since reason: String) {
    state.withLock {
      let isNew = $0.told != reason
      $0.told = reason
      $0.isStale = true
      if isNew { mark($0.text ?? "", "\($0.line); \(reason); trying again") }
    }
  }

  /// On the screen beneath what is shown; where one text follows the other, beside them.
  private func mark(_ text: String, _ line: String) {
    if terminal.isInteractive {
      terminal.redraw("\(text)\n\n\(line)")
    } else {
      Terminal.note(line)
    }
  }
}
