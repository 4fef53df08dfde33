// The short way to read an event against the strict decoder: it may leave a text to that one, but it
// never reads anything else than that would, and never what that refuses.

import Testing

@testable import Hosting

@Suite struct CanonicalTests {
  private func short(_ event: any Event.Type, _ bytes: [UInt8]) -> (any Event)? {
    func read<Known: Event>(_ type: Known.Type) -> (any Event)? { Known(canonicalDocument: bytes) }
    return read(event)
  }

  private func strict(_ event: any Event.Type, _ bytes: [UInt8]) -> (any Event)? {
    try? event.init(jsonBytes: bytes)
  }

  private func equal<First: Event>(_ first: First, _ second: any Event) -> Bool {
    second as? First == first
  }

  private func agree(_ type: any Event.Type, _ bytes: [UInt8]) -> Bool {
    guard let read = short(type, bytes) else { return true }
    guard let known = strict(type, bytes) else { return false }
    return equal(read, known)
  }

  @Test(arguments: GoldenTests.allExamples.indices)
  func `what we write is read the short way`(index: Int) throws {
    let event = GoldenTests.allExamples[index]
    let bytes = event.jsonBytes
    // A golden example may hold letters beyond ASCII, which only the strict decoder takes.
    guard bytes.allSatisfy({ $0 < 0x7F }), !bytes.contains(UInt8(ascii: "\\")) else { return }
    let read = try #require(short(type(of: event), bytes), "\(type(of: event).type)")
    let isSame = equal(event, read)
    #expect(isSame)
  }

  @Test(arguments: GoldenTests.allExamples.indices)
  func `no change of a byte makes the two ways differ`(index: Int) {
    let event = GoldenTests.allExamples[index]
    let original = event.jsonBytes
    for place in original.indices {
      for byte in Array(#" ",:{}[]\-0129aZ"#.utf8) + [0x00, 0x0A, 0x7F, 0xC3] {
        var bytes = original
        bytes[place] = byte
        if !agree(type(of: event), bytes) {
          Issue.record("\(String(decoding: bytes, as: UTF8.self))")
        }
        bytes = original
        bytes.insert(byte, at: place)
        if !agree(type(of: event), bytes) {
          Issue.record("\(String(decoding: bytes, as: UTF8.self))")
        }
      }
      #expect(agree(type(of: event), Array(original[..<place])))
      #expect(short(type(of: event), Array(original[..<place])) == nil)
    }
  }

  @Test(arguments: [
    "{}", "{\"terms\":{}}", " {\"end\":\"2025-05-01T00:00:00.000000Z\"}",
    "{\"end\":\"2025-05-01\"}", "{\"end\":\"2025-02-30T00:00:00.000000Z\"}",
    "{\"end\":\"2025-05-01T24:00:00.000000Z\"}",
    "{\"end\":\"2025-05-01T00:00:00.000000Z\",\"end\":\"2025-05-01T00:00:00.000000Z\"}",
    "{\"end\":\"2025-05-01T00:00:00.000000Z\",\"more\":1}",
  ])
  func `another text than ours is left to the strict decoder`(text: String) {
    #expect(short(AgreementTerminated.self, Array(text.utf8)) == nil)
  }

  @Test(arguments: [
    "0", "7", "-7", "00", "-0", "01", "1.0", "1e2", "999999999999999999",
    "1000000000000000000", "9223372036854775807", "9223372036854775808", "\"7\"", "",
  ])
  func `a number is read as the strict decoder reads it, or not at all`(number: String) {
    #expect(agree(NodeLost.self, Array("{\"silentSeconds\":\(number)}".utf8)))
  }

  @Test(arguments: [
    "log", "wharfd", "provider/17", "provider/", "provider", "/17", "log/1", "provider/-1",
    "provider/1a", "nothing/1", "team/999999999999999999", "team/017", "",
  ])
  func `a stream read from bytes is the one read from text`(text: String) {
    let bytes = Array(text.utf8)
    #expect(bytes.withUnsafeBufferPointer { Stream(ascii: $0) } == Stream(text))
    #expect(bytes.withUnsafeBufferPointer { Actor(ascii: $0) } == Actor(text))
  }

  @Test(arguments: Kind.allCases)
  func `every kind is read from bytes`(kind: Kind) {
    let bytes = Array(kind.rawValue.utf8)
    #expect(bytes.withUnsafeBufferPointer { Kind(ascii: $0) } == kind)
    let other = Array((kind.rawValue.dropLast() + "x").utf8)
    #expect(other.withUnsafeBufferPointer { Kind(ascii: $0) } == nil)
  }

  @Test func `moments are written and read back at every digit`() {
    for microseconds: Int64 in [
      0, 1, 999_999, 1_000_000, -1, 951_782_400_000_000, 1_748_736_000_123_456,
      253_402_300_799_999_999, -62_167_219_200_000_000,
    ] {
      let moment = Timestamp(microseconds: microseconds)
      let text = moment.description
      #expect(text.utf8.count == 27)
      #expect(Timestamp(text) == moment)
      let bytes = Array(text.utf8)
      #expect(bytes.withUnsafeBufferPointer { Timestamp(canonical: $0) } == moment)
    }
    #expect(Timestamp(microseconds: 253_402_300_800_000_000).description.hasPrefix("10000-01-01T"))
  }
}
