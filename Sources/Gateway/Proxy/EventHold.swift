// Cuts a stream of server-sent events where they end: a client is sent whole events, so that an error event
// can follow at any time and stand alone. What has arrived of an event that is not over waits here; one that
// is longer than the limit goes out in parts. An event ends with an empty line; lines end with LF, CR or both.

import NIOCore

struct EventHold: Sendable {
  private let limitBytes: Int
  private var held = ByteBuffer()
  private var lines = EventLines()
  /// Whether the client has the beginning of an event, and not its end.
  private(set) var isWithinEvent = false

  init(limitBytes: Int) { self.limitBytes = limitBytes }

  /// What may go out now that this has arrived.
  mutating func pass(_ part: ByteBuffer) -> ByteBuffer {
    guard let end = endOfLastEvent(in: part) else {
      held.writeImmutableBuffer(part)
      guard held.readableBytes > limitBytes else { return ByteBuffer() }
      isWithinEvent = true
      return rest()
    }
    var part = part
    held.writeImmutableBuffer(part.readSlice(length: end)!)
    isWithinEvent = false
    let whole = rest()
    held.writeImmutableBuffer(part)
    return whole
  }

  /// What is left when the stream has ended as it should.
  mutating func rest() -> ByteBuffer {
    defer { held = ByteBuffer() }
    return held
  }

  /// How many bytes of it there are up to the end of the last event that ends there.
  private mutating func endOfLastEvent(in part: ByteBuffer) -> Int? {
    part.withUnsafeReadableBytes { bytes in
      var end: Int?
      for (index, byte) in bytes.enumerated() {
        switch lines.take(byte) {
        case .within: break
        case .endsEvent: end = index + 1
        case .endsLineStill: if end == index { end = index + 1 }
        }
      }
      return end
    }
  }
}

/// Finds empty lines, byte by byte.
struct EventLines: Sendable {
  enum Step {
    case within
    case endsEvent
    /// The LF after a CR that ended a line.
    case endsLineStill
  }

  private var isAtLineStart = true
  private var wasReturn = false

  mutating func take(_ byte: UInt8) -> Step {
    switch byte {
    case 0x0A where wasReturn:
      wasReturn = false
      return .endsLineStill
    case 0x0A, 0x0D:
      defer { isAtLineStart = true }
      wasReturn = byte == 0x0D
      return isAtLineStart ? .endsEvent : .within
    default:
      isAtLineStart = false
      wasReturn = false
      return .within
    }
  }

  /// Whole events, one by one.
  static func events(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines = EventLines()
    var ends: [Int] = []
    for (index, byte) in bytes.enumerated() {
      switch lines.take(byte) {
      case .within: break
      case .endsEvent: ends.append(index + 1)
      case .endsLineStill: if ends.last == index { ends[ends.count - 1] = index + 1 }
      }
    }
    if ends.last ?? 0 < bytes.count { ends.append(bytes.count) }
    return zip([0] + ends, ends).map { bytes[$0..<$1] }
  }
}
