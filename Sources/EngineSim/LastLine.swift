// The last line of an engine that is told to stop before anything in it hears that.

// The optimizing compiler (Swift 6.3.1) finds `timespec` in this module alone.
import CDispatch
import Glibc

/// A line that a signal handler can complete: bytes that are there before the signal comes.
enum LastLine {
  /// Stands where the time goes: as many digits as it has, until the year 2286.
  static let timeToCome: Int64 = 1_000_000_000_000_000
  private static let digits = 16

  nonisolated(unsafe) private static var bytes: UnsafeMutableBufferPointer<UInt8>?
  nonisolated(unsafe) private static var timeOffset = 0
  nonisolated(unsafe) private static var descriptor: Int32 = -1

  static func keep(_ line: [UInt8], for descriptor: Int32) {
    guard let range = line.firstRange(of: Array("\(timeToCome)".utf8)) else { return }
    let kept = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: line.count)
    _ = kept.initialize(from: line)
    bytes = kept
    timeOffset = range.lowerBound
    self.descriptor = descriptor
  }

  /// Calls nothing that a signal handler may not call.
  static func write() {
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
