// Streams of events, cut where events end.

import NIOCore
import Testing

@testable import Gateway

@Suite struct EventHoldTests {
  static let whole = [
    "data: {}\n\n", ": note\n\nevent: a\ndata: 1\ndata: 2\n\n", "data: 1\r\n\r\ndata: 2\r\n\r\n",
    "data: 1\r\rdata: 2\n\r\n", "\n\ndata: ä\n\n",
  ]

  @Test(arguments: whole) func `whole events go out as they come`(_ text: String) {
    var hold = EventHold(limitBytes: 100)
    #expect(hold.pass(ByteBuffer(string: text)) == ByteBuffer(string: text))
    #expect(hold.rest().readableBytes == 0 && !hold.isWithinEvent)
  }

  @Test(arguments: whole) func `however events are cut, none goes out in parts, and none is lost`(
    _ text: String
  ) {
    let bytes = Array((text + "data: [DONE]").utf8)
    for size in 1...bytes.count {
      var hold = EventHold(limitBytes: 100)
      var sent: [UInt8] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        let part = bytes[start..<min(start + size, bytes.count)]
        sent += Array(buffer: hold.pass(ByteBuffer(bytes: part)))
        let lines = String(decoding: sent, as: UTF8.self).replacing("\r\n", with: "\n")
          .replacing("\r", with: "\n")
        // Before the first line a line has ended, so to say.
        #expect(sent.isEmpty || "\n\(lines)".hasSuffix("\n\n"), "\(size) bytes at once: \(lines)")
        #expect(!hold.isWithinEvent)
      }
      sent += Array(buffer: hold.rest())
      #expect(sent == bytes)
    }
  }

  @Test func `the event that says what a stream took is taken out, and no other`() {
    let usage = #"data: {"choices":[],"usage":{"total_tokens":7}}"# + "\n\n"
    let others = [
      #"data: {"choices":[{"delta":{"content":"\"usage\""}}],"usage":null}"# + "\n\n",
      #"data: {"choices":[{"delta":{}}],"usage":{"total_tokens":7}}"# + "\r\n\r\n",
      #"data: {"error":{"message":"no \"usage\""}}"# + "\n\n",
      "event: usage\ndata: \"usage\"\n\n", "data: [DONE]\n\n",
    ]
    let (whole, kept) = ((others + [usage]).joined() + usage, others.joined())
    #expect(UsageEvents.removed(from: ByteBuffer(string: whole)) == ByteBuffer(string: kept))
    #expect(UsageEvents.removed(from: ByteBuffer(string: usage)).readableBytes == 0)
  }

  @Test func `an event that is longer than what is held goes out in parts`() {
    var hold = EventHold(limitBytes: 20)
    #expect(hold.pass(ByteBuffer(string: "data: 1\n\ndata: ")).readableBytes == 9)
    #expect(!hold.isWithinEvent)
    #expect(hold.pass(ByteBuffer(string: "a long one and more")).readableBytes == 25)
    #expect(hold.isWithinEvent)
    #expect(hold.pass(ByteBuffer(string: " of it\n\n")).readableBytes == 8)
    #expect(!hold.isWithinEvent)
  }
}
