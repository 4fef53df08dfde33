// Why an engine ended, in one line for people: what was asked of it, or its own last words.

import Glibc
import Hosting

enum EndReason {
  private static let longestLogTailBytes = 4 << 10
  private static let longestLine = 300
  private static let memoryWords = [
    "out of memory", "outofmemory", "cannot allocate memory", "failed to allocate",
  ]

  /// - Parameters:
  ///   - asked: why it had been told to stop; none when it ended unasked.
  ///   - secret: never repeated, whatever the engine wrote.
  static func text(
    of gone: ProcessHost.Gone, asked: String?, wasReady: Bool, logPath: String, secret: String
  ) -> String {
    let words = lastWords(logPath, secret)
    if let asked {
      let unfulfilled = asked.hasPrefix("not ready")
      return unfulfilled ? joined(asked, words) : asked
    }
    if let problem = gone.problem { return problem }
    let memory = words.map { line in memoryWords.contains { line.lowercased().contains($0) } }
    if memory == true {
      return joined(wasReady ? "out of device memory" : "out of device memory at load", words)
    }
    // Code and signal are told beside the reason, and would be told twice.
    if let signal = gone.exitSignal {
      let killed = signal == Int(SIGKILL)
      return joined(
        killed ? "unasked; perhaps the machine ran out of memory" : "unasked", words)
    }
    return joined("it ended by itself", words)
  }

  private static func joined(_ what: String, _ words: String?) -> String {
    words.map { "\(what); its log ends: \($0)" } ?? what
  }

  /// The last line of the log that is the engine's own.
  static func lastWords(_ logPath: String, _ secret: String) -> String? {
    var text = String(decoding: Files.tail(logPath, bytes: longestLogTailBytes), as: UTF8.self)
    if !secret.isEmpty { text = text.replacing(secret, with: "…") }
    let lines = text.split(whereSeparator: \.isNewline)
      .filter { !$0.hasPrefix("wharf-holder:") && !$0.allSatisfy(\.isWhitespace) }
    return lines.last.map { String($0).onOneLine(longest: longestLine) }
  }
}
