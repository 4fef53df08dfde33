// What an attempt's end waits for, in words that stand behind its name, or behind "it".

import Hosting
import TestKit
import Testing

@Suite struct DepartureWordsTests {
  @Test func `each says what the attempt does, whoever is named before`() {
    let moment = Timestamp("2026-11-30")!
    let words = [
      Departure.left(until: moment, by: []), .left(until: moment, by: ["edge-1"]),
      .told(at: moment, killedAfterSeconds: 30), .told(at: moment, killedAfterSeconds: nil),
      .onLostNode("node-1"),
    ].map(\.words)
    for text in words {
      #expect(
        ["waits for ", "was told ", "cannot be "].contains { text.hasPrefix($0) }, "it \(text)")
    }
    #expect(words.last == "cannot be proved to have ended while node-1 is lost")
  }
}
