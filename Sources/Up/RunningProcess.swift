// A process that we watch: our child, or one that a supervisor before us started.

import Dispatch
import Glibc
import Machine
import Synchronization
import Time

final class RunningProcess: Sendable {
  /// How a process ended; of one that is not our child nobody tells us.
  enum Ending: Hashable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case killed(Int32)
    case unknown

    var description: String {
      switch self {
      case .exited(let code): "ended with exit code \(code)"
      case .killed(let signal): "was ended by signal \(signal)"
      case .unknown: "ended"
      }
    }
  }

  let record: ProcessRecord
  private let handle: ProcessHandle
  private let ending = Mutex<Ending?>(nil)

  /// - Returns: none when the process is gone.
  init?(_ record: ProcessRecord) {
    // Looked at again: from here on the handle holds this process and no other.
    guard let handle = ProcessHandle(record.identity), record.isAlive else { return nil }
    self.record = record
    self.handle = handle
  }

  /// A child just started: there until it is reaped, alive or not.
  init(child pid: pid_t, commandDigest: String) throws(UpFailure) {
    guard let record = ProcessRecord(pid: pid, commandDigest: commandDigest),
      let handle = ProcessHandle(record.identity)
    else { throw UpFailure("cannot watch the process \(pid): \(Files.reason(errno))") }
    self.record = record
    self.handle = handle
  }

  var isOver: Bool { handle.hasEnded }

  @discardableResult
  func send(_ signal: Int32) -> Bool { handle.signal(signal) }

  /// Waits for its end.
  ///
  /// - Returns: none when the task was cancelled first.
  func ended() async -> Ending? {
    let source = DispatchSource.makeReadSource(
      fileDescriptor: handle.descriptor, queue: .global(qos: .userInitiated))
    let guarded = Watched(source)
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guarded.source.setEventHandler { guarded.source.cancel() }
        guarded.source.setCancelHandler { continuation.resume() }
        guarded.source.activate()
      }
    } onCancel: {
      guarded.source.cancel()
    }
    return isOver ? reap() : nil
  }

  /// Waits for its end, up to a deadline.
  func isOver(within limit: Duration) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask { await self.ended() != nil }
      group.addTask {
        try? await clocks.sleep(for: limit)
        return false
      }
      let first = await group.next() ?? false
      group.cancelAll()
      return first || isOver
    }
  }

  /// Only a parent can reap and learn how it ended; once.
  private func reap() -> Ending {
    ending.withLock { known in
      if let known { return known }
      let result: Ending =
        switch handle.reap() {
        case .code(let code): .exited(Int32(code))
        case .signal(let signal): .killed(Int32(signal))
        case nil: .unknown
        }
      known = result
      return result
    }
  }

  /// Dispatch sources may be cancelled from any thread; Swift is not told so.
  private struct Watched: @unchecked Sendable {
    let source: any DispatchSourceRead
    init(_ source: any DispatchSourceRead) { self.source = source }
  }
}
