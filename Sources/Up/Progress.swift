// What happens while a system comes up or goes down, told as values: to the console, to a log, or
// through a pipe to the `wharf up --detach` that waits.

import Glibc
import Hosting
import Time

struct ProgressLine: JSONRecord, Hashable, Sendable {
  enum Kind: String, Codable, Sendable {
    /// A step is under way; its text stands until `done`.
    case begun
    case done
    case note
    case failed
    /// All that was asked for is there.
    case ready
  }

  var kind: Kind
  var text: String
  /// Of `done`: the text with which the step began.
  var step: String?
  var seconds: Double?
  var help: String?
  var code: Int?

  static func failure(_ failure: UpFailure) -> ProgressLine {
    ProgressLine(
      kind: .failed, text: failure.message, help: failure.help, code: failure.code.rawValue)
  }

  var failure: UpFailure {
    UpFailure(text, help: help, code: code.flatMap { UpFailure.Code(rawValue: $0) } ?? .failed)
  }
}

typealias Report = @Sendable (ProgressLine) -> Void

/// A step that is timed from its start to its end.
struct Step: Sendable {
  private let title: String
  private let report: Report
  private let start = clocks.now

  init(_ text: String, _ report: @escaping Report) {
    title = text
    self.report = report
    report(ProgressLine(kind: .begun, text: text))
  }

  func done(_ text: String) {
    report(ProgressLine(kind: .done, text: text, step: title, seconds: elapsed.inSeconds))
  }

  var elapsed: Duration { clocks.now - start }
}

func note(_ text: String, _ report: Report) {
  report(ProgressLine(kind: .note, text: text))
}

extension Duration {
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}

extension Double {
  /// `0.4`
  var oneDecimal: String {
    let tenths = Int((self * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
