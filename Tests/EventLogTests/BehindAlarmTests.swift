// When a reader counts as behind, as values: since when the log holds what it has not read.

import Hosting
import Logging
import Testing

@testable import EventLog

struct BehindAlarmTests {
  private static let start = ContinuousClock.now
  private static let time = Timestamp("2026-11-01")!

  private static func second(_ number: Int) -> ContinuousClock.Instant {
    start + .seconds(number)
  }

  @Test func `what is unread is as old as the first head that held it`() {
    var history = HeadHistory()
    #expect(history.firstKnown(after: .empty) == nil)
    for (second, head) in [(0, 5), (1, 5), (2, 9), (3, 9), (4, 20)] {
      history.note(Position(Int64(head)), at: Self.second(second))
    }
    for (position, second) in [(0, 0), (4, 0), (5, 2), (8, 2), (9, 4), (19, 4)] {
      #expect(history.firstKnown(after: Position(Int64(position))) == Self.second(second))
    }
    #expect(history.firstKnown(after: 20) == nil)
    for number in 1...(2 * HeadHistory.samplesLimit) {
      history.note(Position(Int64(20 + number)), at: Self.second(4 + number))
    }
    #expect(
      history.firstKnown(after: 5) == Self.second(5 + HeadHistory.samplesLimit),
      "what was dropped is as old as the oldest that is kept")
  }

  @Test func `it begins past the limit, and ends at half of it`() {
    var alarm = BehindAlarm()
    func look(_ lag: Int?, at second: Int) -> BehindAlarm.Change? {
      alarm.look(
        unreadSince: lag.map { Self.second(second - $0) }, limit: .seconds(10),
        at: Self.second(second))
    }
    #expect(look(nil, at: 0) == nil)
    #expect(look(10, at: 20) == nil, "at the limit is not past it")
    #expect(look(11, at: 21) == .began)
    #expect(alarm.since == Self.second(10))
    #expect(look(60, at: 70) == nil, "it is told of once")
    #expect(look(6, at: 71) == nil, "a little better is not caught up")
    #expect(look(5, at: 72) == .ended(after: .seconds(62)))
    #expect(look(9, at: 80) == nil)
    #expect(look(11, at: 90) == .began, "and again, after it had ended")
    #expect(look(nil, at: 91) == .ended(after: .seconds(12)))
  }

  @Test func `what the log held before a reader entered is not its lag`() {
    let book = ReaderBook(behindLimit: .seconds(10), logger: .silent)
    book.look(head: 1_000, at: .now - .seconds(600), time: Self.time)
    let place = book.enter("late", at: .empty)
    book.look(head: 1_000, at: .now + .seconds(9), time: Self.time)
    #expect(book.behind == [])
    book.look(head: 1_000, at: .now + .seconds(11), time: Self.time)
    #expect(book.behind.map(\.name) == ["late"])
    withExtendedLifetime(place) {}
  }

  @Test func `one that reads on is not behind, one that stands still is, with one event`() {
    let book = ReaderBook(behindLimit: .seconds(10), logger: .silent)
    let (still, busy) = (book.enter("still", at: 1), book.enter("busy", at: 1))
    let begin = ContinuousClock.now
    book.look(head: 1, at: begin, time: Self.time)
    for second in 1...60 {
      let head = Position(Int64(1 + second * 20_000))
      book.look(
        head: head, at: begin + .seconds(second), time: Self.time.adding(seconds: Int64(second)))
      // Twenty thousand behind, and a second.
      busy.reached(head)
    }
    let behind = book.behind
    #expect(behind.map(\.name) == ["still"])
    #expect(behind.first?.since == Self.time.adding(seconds: 1))
    #expect(behind.first?.events == 1_200_000)
    withExtendedLifetime(still) {}
  }

  @Test func `a reader that has ended is behind no more`() {
    let book = ReaderBook(behindLimit: .seconds(10), logger: .silent)
    do {
      let place = book.enter("short", at: .empty)
      book.look(head: 1, at: .now, time: Self.time)
      book.look(head: 1, at: .now + .seconds(11), time: Self.time)
      #expect(book.behind.count == 1)
      withExtendedLifetime(place) {}
    }
    #expect(book.behind == [])
  }
}

extension Logger {
  static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}
