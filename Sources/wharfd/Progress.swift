// How far a long walk over the log is, on stderr: one line that moves on a terminal, elsewhere a line
// every few seconds.

import Foundation
import Hosting

final class Progress {
  private static let barColumns = 30
  private static let redrawSeconds = 0.1
  private static let lineSeconds = 5.0

  private let doing: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var first: Int64?
  private var lastDrawn = ContinuousClock.now
  private var hasDrawn = false

  /// - Parameter doing: as "verified".
  init(_ doing: String) { self.doing = doing }

  /// - Parameter head: where it ends, where that is known.
  func show(_ position: Position, of head: Position?) {
    let now = ContinuousClock.now
    let first = self.first ?? position.value
    self.first = first
    let pause = isTerminal ? Self.redrawSeconds : Self.lineSeconds
    guard now - lastDrawn >= .seconds(pause) else { return }
    lastDrawn = now
    hasDrawn = true
    let rate = Int(Double(position.value - first) / max(0.001, (now - start) / .seconds(1)))
    let place = head.map { "\(position) of \($0)" } ?? "\(position)"
    let text = "\(doing) \(place) events, \(rate)/s"
    Self.write(isTerminal ? "\r\u{1B}[K\(bar(position, head))\(text)" : "\(text)\n")
  }

  private func bar(_ position: Position, _ head: Position?) -> String {
    guard let head, head > .empty else { return "" }
    let share = min(1, Double(position.value) / Double(head.value))
    let full = Int(share * Double(Self.barColumns))
    return String(repeating: "█", count: full)
      + String(repeating: "░", count: Self.barColumns - full) + " \(Int(share * 100)) %  "
  }

  /// Takes the moving line away.
  func end() {
    if isTerminal, hasDrawn { Self.write("\r\u{1B}[K") }
  }

  static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
