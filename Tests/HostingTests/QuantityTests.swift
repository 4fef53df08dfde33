// Quantities: one way to write each, and nothing else.

import Testing

@testable import Hosting

@Suite struct QuantityTests {
  @Test(
    arguments: [
      ("0", 0), ("0GiB", 0), ("1024B", 1_024), ("1B", 1), ("70GiB", 70 << 30),
      ("512MiB", 512 << 20),
      ("70GB", 70_000_000_000), ("1.5GiB", 3 << 29), ("0.5TB", 500_000_000_000), ("2KiB", 2_048),
      ("2kB", 2_000),
    ] as [(String, Int64)])
  func `bytes`(text: String, count: Int64) throws {
    #expect(try Bytes(text).count == count)
  }

  @Test(arguments: [
    "", "GiB", "70", "1024", "75161927680", "80G", "80g", "80gib", "60m", "1.5", "0.3KiB", "-1",
    "+1", "1e9", "1,5GiB", "70 GiB",
    "70GiB ", "9999999999TiB", "99999999999999999999", "1.GiB", ".5GiB", "1.2.3GiB", "٣GiB",
  ])
  func `no bytes`(text: String) {
    #expect(throws: Malformed.self) { try Bytes(text) }
  }

  @Test func `letters that two people read differently are answered with both`() {
    #expect(throws: Malformed("'80G' is no amount of memory: write 80GiB or 80GB")) {
      try Bytes("80G")
    }
  }

  @Test(arguments: [
    ("70", "write 70GiB, or 70B for so many bytes"), ("75161927680", "write 70GiB"),
    ("1.5", "write 70GiB or 70GB"),
  ])
  func `a bare number is no amount of memory, and told the right form`(text: String, form: String) {
    let problem = #expect(throws: Malformed.self) { try Bytes(text) }
    #expect(problem?.description.hasSuffix(form) == true, "\(problem?.description ?? "")")
  }

  @Test(arguments: [
    ("500m", 500), ("2", 2_000), ("1.5", 1_500), ("0.001", 1), ("0", 0), ("1.50", 1_500),
  ])
  func `amounts of processors`(text: String, millis: Int) throws {
    #expect(try CPU(text).millis == millis)
  }

  @Test(arguments: ["", "m", "0.0005", "1.5m", "2Gi", "2k", "-1", "1e3", "9999999999999999999"])
  func `no amounts of processors`(text: String) {
    #expect(throws: Malformed.self) { try CPU(text) }
  }

  @Test(
    arguments: [
      ("90d", 7_776_000_000), ("24h", 86_400_000), ("15m", 900_000), ("30s", 30_000),
      ("500ms", 500),
      ("1.5h", 5_400_000), ("0s", 0),
    ] as [(String, Int64)])
  func `lengths of time`(text: String, milliseconds: Int64) throws {
    #expect(try Span(text).milliseconds == milliseconds)
  }

  @Test(arguments: ["", "30", "s", "1w", "1y", "1h30m", "-1s", "1.0005s", "30 s", "30S"])
  func `no lengths of time`(text: String) {
    #expect(throws: Malformed.self) { try Span(text) }
  }

  @Test(arguments: [
    (Span.Unit.seconds, 1...86_400, "24h, 15m or 30s"), (.hours, 1...720, "24h"),
    (.days, 1...36_500, "90d or 24h"), (.milliseconds, 0...86_400_000, "24h, 15m, 30s or 500ms"),
    (.hours, 2...9, "2h or 9h"),
  ])
  func `what is no length is told with lengths that are taken there`(
    unit: Span.Unit, range: ClosedRange<Int>, forms: String
  ) throws {
    #expect(throws: Malformed("'1m30s' is no length of time: write \(forms)")) {
      try Span("1m30s", whole: unit, in: range)
    }
    for form in forms.replacing(" or ", with: ", ").split(separator: ", ") {
      _ = try Span(String(form), whole: unit, in: range)
    }
  }

  @Test func `a length that is kept as a count is never rounded, and has its bounds`() throws {
    #expect(try Span("90m", whole: .seconds, in: 0...6_000).whole(.seconds) == 5_400)
    #expect(throws: Malformed("'90m' is no whole number of hours, which is how it is kept")) {
      try Span("90m", whole: .hours, in: 0...9)
    }
    #expect(throws: Malformed("'10h' is too long: at most 9h")) {
      try Span("10h", whole: .hours, in: 0...9)
    }
    #expect(throws: Malformed("'0s' is too short: at least 1h")) {
      try Span("0s", whole: .hours, in: 1...9)
    }
    #expect(Span(0, .seconds).description == "0s" && Span(24, .hours).description == "1d")
  }

  @Test func `a blank text is none, and an old one is read`() throws {
    for text in [" ", "   ", "\u{3000}"] {
      #expect(throws: Malformed("a text cannot be blank")) { try Text(text) }
      #expect(try Text(stored: text).value == text)
    }
  }

  @Test func `what is written is read back`() throws {
    for bytes in [0, 1, 1_000, 1 << 20, 70 << 30] as [Int64] {
      #expect(try Bytes(Bytes(count: bytes).description).count == bytes)
    }
    for millis in [0, 1, 500, 1_000, 1_500] {
      #expect(try CPU(CPU(millis: millis).description).millis == millis)
    }
    for milliseconds in [0, 1, 1_000, 90_000, 7_776_000_000] as [Int64] {
      let span = Span(milliseconds: milliseconds)
      #expect(try Span(span.description) == span)
    }
  }

  @Test(arguments: [
    ("audiance", "audience"), ("titel", "title"), ("memroy", "memory"), ("cpuMilis", "cpuMillis"),
    ("colour", nil), ("x", nil), ("Audience", "audience"),
  ])
  func `a misspelt name is known again`(written: String, meant: String?) {
    let known = ["title", "audience", "memory", "cpuMillis", "name", "kind"]
    #expect(Spelling.nearest(to: written, among: known) == meant)
  }

  @Test func `where two names are equally near, none is`() {
    #expect(Spelling.nearest(to: "cat", among: ["bat", "hat"]) == nil)
  }
}
