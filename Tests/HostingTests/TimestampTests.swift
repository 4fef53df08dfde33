// Moments are read and written without a library, so they are checked against known dates.

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
