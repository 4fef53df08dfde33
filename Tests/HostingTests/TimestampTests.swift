// Moments are read and written without a library, so they are checked against known dates.

import TestKit
import Testing

@testable import Hosting

@Suite struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01", 0), ("2000-02-29", 951_782_400), ("2025-05-01T10:30:00Z", 1_746_095_400),
    ("2025-05-01T12:30:00+02:00", 1_746_095_400), ("1969-12-31T23:59:59Z", -1),
    ("2100-03-01", 4_107_542_400),
  ]) func `a date is read as seconds since 1970`(text: String, seconds: Int64) throws {
    let moment = try #require(Timestamp(text))
    #expect(moment.microseconds == seconds * 1_000_000)
  }

  @Test func `what is written is read back, for every day of four centuries`() throws {
    for day in stride(from: Int64(-80_000), to: 70_000, by: 1) {
      let moment = Timestamp(microseconds: day * 86_400_000_000 + 1)
      #expect(Timestamp(moment.description) == moment)
    }
  }

  @Test(arguments: [
    "", "2025", "2025-13-01", "2025-02-29", "2025-05-01T25:00:00Z", "2025-05-01T10:00",
    "01.05.2025",
  ])
  func `what is no date is refused`(text: String) {
    #expect(Timestamp(text) == nil)
  }
}

@Suite struct AskedMomentTests {
  @Test func `a position comes before a time, and a time before a mark`() {
    #expect(AskedMoment("42") == .position(42))
    let day = Timestamp("2026-01-01")!
    #expect(AskedMoment("2026-01-01") == .time(from: day, to: day))
    #expect(AskedMoment("2026-13-01") == .mark("2026-13-01"))
    #expect(AskedMoment("before-2026-01-01") == .mark("before-2026-01-01"))
    #expect(AskedMoment("no mark") == nil)
    #expect(AskedMoment("") == nil)
  }

  @Test func `a time as it is shown is its whole second`() throws {
    let event = try #require(Timestamp("2026-11-25T02:37:14.250000Z"))
    guard case .time(let first, let last) = AskedMoment(event.short) else {
      Issue.record("\(event.short) is no time")
      return
    }
    #expect(first.description == "2026-11-25T02:37:14.000000Z")
    #expect(last.description == "2026-11-25T02:37:14.999999Z")
    for text in ["2026-11-25 02:37", "2026-11-25 02:37:61", "2026-11-25  2:37:14"] {
      #expect(AskedMoment(text) == nil, "\(text)")
    }
  }

  @Test(arguments: [
    "42", "0", "99999999999999999999", "2026", "2026-0", "2026-01", "2026-01-01",
    "2026-01-01T10", "2026-01-01t10", "9999-99-99",
  ])
  func `no mark reads as a position or a time, or begins as one`(name: Name) {
    given().when(PlaceMark(name: name)).thenRefused("markIsMoment", saying: "before-\(name)")
  }

  @Test(arguments: ["v2", "2026-01-01-close", "2026.01.01", "2026-01-01T10-30", "1st"])
  func `another name with digits is a mark`(name: Name) {
    given(RegisterProvider(name: "xai")).when(PlaceMark(name: name))
      .then(MarkPlaced(name: name, position: 1))
  }
}
