// How far long work over a log is, on stderr: one line that moves on a terminal, elsewhere a line for
// each step and, where one takes long, every few seconds. What is shown last of a walk is its end.

import Foundation
import Hosting
import Time

final class Progress {
  private static let barColumns = 30
  private static let redrawSeconds = 0.1
  /// Elsewhere than on a terminal: soon once, so that it is seen to go on, and then now and then.
  private static let firstLineSeconds = 1.0
  private static let lineSeconds = 5.0

  private let doing: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = Clocks.system.now
  private var first: Int64?
  private var lastDrawn: Clocks.Instant?
  private var lastStep = ""

  /// - Parameter doing: as "verified".
  init(_ doing: String) { self.doing = doing }

  /// - Parameter head: where it ends, where that is known.
  func show(_ position: Position, of head: Position?) {
    let now = Clocks.system.now
    let first = self.first ?? position.value
    self.first = first
    guard isDue(now, isEnd: position == head) else { return }
    lastDrawn = now
    let rate = Int(Double(position.value - first) / max(0.001, (now - start) / .seconds(1)))
    let share = head.map { min(1, Double(position.value) / Double(max(1, $0.value))) }
    let place = head.map { "\(position) of \($0)" } ?? "\(position)"
    let percent = share.map { ", \(Int($0 * 100)) %" } ?? ""
    let text = "\(doing) \(place) events\(percent), \(rate)/s"
    Self.write(isTerminal ? "\r\u{1B}[K\(share.map(Self.bar) ?? "")\(text)" : "\(text)\n")
  }

  /// The end of a walk that was shown is shown too.
  private func isDue(_ now: Clocks.Instant, isEnd: Bool) -> Bool {
    guard let lastDrawn else {
      return isTerminal || now - start >= .seconds(Self.firstLineSeconds)
    }
    let pause = isTerminal ? Self.redrawSeconds : Self.lineSeconds
    return isEnd || now - lastDrawn >= .seconds(pause)
  }

  private static func bar(_ share: Double) -> String {
    let full = Int(share * Double(barColumns))
    return String(repeating: "█", count: full)
      + String(repeating: "░", count: barColumns - full) + "  "
  }

  /// A step is said once, also when it is reported many times.
  func say(_ step: String, at place: String = "") {
    guard step != lastStep else { return }
    lastStep = step
    if isTerminal { lastDrawn = Clocks.system.now }
    Self.write(isTerminal ? "\r\u{1B}[K\(step)\(place)" : "\(step)\(place)\n")
  }

  /// Takes the moving line away.
  func end() {
    if isTerminal, lastDrawn != nil { Self.write("\r\u{1B}[K") }
  }

  static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
