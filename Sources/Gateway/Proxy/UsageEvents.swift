// Engines are asked to say at the end of a stream what it took, whether or not the client wants to know. The
// event that says so is taken out for a client that did not ask.

import Glibc
import Hosting
import NIOCore

enum UsageEvents {
  private static let mark = Array("\"total_tokens\"".utf8)
  private static let field = Array("data:".utf8)

  /// - Parameter events: whole ones.
  static func removed(from events: ByteBuffer) -> ByteBuffer {
    // Nearly no part of a stream has one.
    guard events.withUnsafeReadableBytes(hasMark) else { return events }
    let kept = EventLines.events(of: Array(events.readableBytesView)).filter { !isOnlyUsage($0) }
    return ByteBuffer(bytes: kept.joined())
  }

  private static func hasMark(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return false }
    var start = 0
    while start + mark.count <= bytes.count,
      let found = memchr(base + start, CInt(mark[0]), bytes.count - mark.count + 1 - start)
    {
      if memcmp(found, mark, mark.count) == 0 { return true }
      start = base.distance(to: found) + 1
    }
    return false
  }

  /// It has no part of an answer: OpenAI's form of it has an empty list of choices.
  private static func isOnlyUsage(_ event: ArraySlice<UInt8>) -> Bool {
    let lines = event.split { $0 == 0x0A || $0 == 0x0D }.filter { $0.starts(with: field) }
    guard lines.count == 1,
      let fields = try? JSONValue(document: Array(lines[0].dropFirst(field.count))).fields(),
      let usage = fields.first(where: { $0.key == "usage" })?.value, usage.isObject,
      let choices = fields.first(where: { $0.key == "choices" })?.value
    else { return false }
    return (try? choices.list())?.isEmpty ?? false
  }
}
