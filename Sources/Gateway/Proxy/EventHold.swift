// Cuts a stream of server-sent events where they end: a client is sent whole events, so that an error event
// can follow at any time and stand alone. What has arrived of an event that is not over waits here; one that
// is longer than the limit goes out in parts. An event ends with an empty line; lines end with LF, CR or both.

import NIOCore

struct EventHold: Sendable {
  private let limitBytes: Int
  private var held = ByteBuffer()
  private var isAtLineStart = true
  private var wasReturn = false
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
        switch byte {
        case 0x0A where wasReturn:
          if end == index { end = index + 1 }
          wasReturn = false
        case 0x0A, 0x0D:
          if isAtLineStart { end = index + 1 }
          isAtLineStart = true
          wasReturn = byte == 0x0D
        default:
          isAtLineStart = false
          wasReturn = false
        }
      }
      return end
    }
  }
}
