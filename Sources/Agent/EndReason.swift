// Why an engine ended, as a code: what was asked of it, or what the end of its log and its exit status
// show. Its words are looked at here, and go nowhere: they may be somebody's prompt. They stay in its
// log file, for whoever may read that.

import Glibc
import Hosting
import Machine

enum EndReason {
  private static let longestLogTailBytes = 4 << 10
  private static let memoryWords = [
    "out of memory", "outofmemory", "cannot allocate memory", "failed to allocate",
  ]

  /// - Parameter asked: why it had been told to stop; none when it ended unasked.
  static func end(
    of gone: ProcessHost.Gone, asked: Ledger.Stop?, wasReady: Bool, logPath: String
  ) -> Ledger.End {
    var end = Ledger.End(
      exitCode: gone.exitCode, exitSignal: gone.exitSignal, cause: asked?.cause,
      reason: asked?.reason, order: asked?.order, device: asked?.device)
    guard asked == nil else { return end }
    end.cause = cause(of: gone, wasReady: wasReady, logPath: logPath)
    end.reason = gone.problem
    return end
  }

  private static func cause(
    of gone: ProcessHost.Gone, wasReady: Bool, logPath: String
  ) -> AttemptCause {
    if gone.machineRestarted { return .nodeRestarted }
    if !gone.ran { return .programUnusable }
    if gone.problem != nil { return .holderLost }
    if saysOutOfMemory(logPath) { return wasReady ? .outOfDeviceMemory : .outOfDeviceMemoryAtLoad }
    return gone.exitSignal == Int(SIGKILL) ? .killed : .byItself
  }

  /// Whether the last line of the log that is the engine's own speaks of memory.
  private static func saysOutOfMemory(_ logPath: String) -> Bool {
    let text = String(decoding: Files.tail(logPath, bytes: longestLogTailBytes), as: UTF8.self)
    let last = text.split(whereSeparator: \.isNewline)
      .last { !$0.hasPrefix("wharf-holder:") && !$0.allSatisfy(\.isWhitespace) }
    guard let line = last?.lowercased() else { return false }
    return memoryWords.contains { line.contains($0) }
  }
}
