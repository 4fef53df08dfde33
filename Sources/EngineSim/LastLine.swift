// The last line of an engine that is told to stop before anything in it hears that.

// The optimizing compiler (Swift 6.3.1) finds `timespec` in this module alone.
import CDispatch
import Glibc
import Synchronization

/// A line that a signal handler can complete: bytes that are there before the signal comes.
enum LastLine {
  /// Stands where the time goes: as many digits as it has, until the year 2286.
  static let timeToCome: Int64 = 1_000_000_000_000_000
  private static let digits = 16

  nonisolated(unsafe) private static var bytes: UnsafeMutableBufferPointer<UInt8>?
  nonisolated(unsafe) private static var timeOffset = 0
  nonisolated(unsafe) private static var descriptor: Int32 = -1
  private static let hasBegun = Atomic(false)
  private static let isToldToStop = Atomic(false)
  private static let isWritten = Atomic(false)

  static func keep(_ line: [UInt8], for descriptor: Int32) {
    guard let range = line.firstRange(of: Array("\(timeToCome)".utf8)) else { return }
    let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: line.count)
    _ = kept.initialize(from: line)
    bytes = kept
    timeOffset = range.lowerBound
    self.descriptor = descriptor
    // A signal handler may be the first to use no constant.
    _ = (hasBegun.load(ordering: .relaxed), isWritten.load(ordering: .relaxed))
    isToldToStop.store(false, ordering: .relaxed)
  }

  /// The start is on record: what was to end before ends now.
  static func begin() {
    hasBegun.store(true, ordering: .sequentiallyConsistent)
    if isToldToStop.load(ordering: .sequentiallyConsistent) { write() }
  }

  /// Before the start is on record it waits for that: a log would end what it never began.
  static func end() {
    isToldToStop.store(true, ordering: .sequentiallyConsistent)
    if hasBegun.load(ordering: .sequentiallyConsistent) { write() }
  }

  /// Calls nothing that a signal handler may not call.
  private static func write() {
    guard !isWritten.exchange(true, ordering: .sequentiallyConsistent) else { return }
    guard let bytes else { _exit(0) }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var rest = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000
    for index in stride(from: timeOffset + digits - 1, through: timeOffset, by: -1) {
      bytes[index] = UInt8(48 + rest % 10)
      rest /= 10
    }
    _ = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
    _exit(0)
  }
}
