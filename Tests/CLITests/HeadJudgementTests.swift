// What a newly seen head says about the log, next to the one remembered.

import Hosting
import Testing
import Wire

@testable import CLI

struct HeadJudgementTests {
  private func head(_ era: Int64, _ position: Int64, _ digit: UInt8) -> HeadWitness {
    HeadWitness(
      era: Position(era), position: Position(position),
      hash: Digest(bytes: [UInt8](repeating: digit, count: 32)))
  }

  private func judge(_ seen: HeadWitness, mustReach: Bool = false) -> String {
    switch HeadJudgement.of(seen, after: head(1, 50, 7), mustReach: mustReach) {
    case .newer: "newer"
    case .newEra(let lost): lost.map { "new era without \($0)" } ?? "new era"
    case .known: "known"
    case .rewritten: "rewritten"
    }
  }

  @Test func `The first head is taken as it is`() {
    #expect(HeadJudgement.of(head(1, 5, 1), after: nil, mustReach: true) == .newer)
  }

  @Test func `A longer log is newer, the same head is known`() {
    #expect(judge(head(1, 51, 1)) == "newer")
    #expect(judge(head(1, 50, 7)) == "known")
  }

  @Test func `Another hash at the same position is a rewrite`() {
    #expect(judge(head(1, 50, 8)) == "rewritten")
  }

  @Test func `A lower head is a follower that is behind, unless it had to be reached`() {
    #expect(judge(head(1, 49, 1)) == "known")
    #expect(judge(head(1, 49, 1), mustReach: true) == "rewritten")
  }

  @Test func `Another hash where it looked last is a rewrite, however far the log has gone on`() {
    func judge(_ seen: HeadWitness, _ digit: UInt8?) -> HeadJudgement {
      let hash = digit.map { Digest(bytes: [UInt8](repeating: $0, count: 32)) }
      return HeadJudgement.of(
        seen, after: head(1, 50, 7), mustReach: false, echo: SeenEcho(position: 50, hash: hash))
    }
    #expect(judge(head(1, 90, 1), 7) == .newer)
    for rewritten in [judge(head(1, 90, 1), 8), judge(head(1, 40, 1), nil)] {
      guard case .rewritten = rewritten else { Issue.record("\(rewritten)"); continue }
    }
    // An era that began before it is another matter.
    #expect(judge(head(40, 90, 1), 8) == .newEra(lost: "40 to 50"))
  }

  @Test func `A new era is newer wherever it stands; an old one past us is a rewrite`() {
    #expect(judge(head(40, 45, 1), mustReach: true) == "new era without 40 to 50")
    #expect(judge(head(51, 55, 1), mustReach: true) == "new era")
    #expect(HeadJudgement.of(head(1, 60, 1), after: head(40, 50, 7), mustReach: false) != .known)
    #expect(HeadJudgement.of(head(1, 49, 1), after: head(40, 50, 7), mustReach: false) == .known)
  }

  @Test func `What is remembered is written and read as it was`() throws {
    var memory = HeadMemory()
    memory.keep(head(1, 5, 1), of: "wharf/a", at: "http://a")
    memory.keep(head(1, 6, 2), of: "wharf/b", at: "http://b")
    memory.keep(head(1, 7, 3), of: "wharf/a", at: "http://a")
    // One log moves to the place of another, which is remembered all the same.
    memory.keep("wharf/b", at: "http://a")
    var read = try HeadMemory(jsonBytes: memory.jsonBytes)
    #expect(read.known(of: "wharf/a", at: "http://c", seeing: 1) == head(1, 7, 3))
    #expect(read.head(at: "http://a") == head(1, 6, 2))
    #expect(read.logs.count == 2 && read.places.count == 2)
    read.forget("http://a")
    #expect(read.log(at: "http://a") == nil)
    #expect(read.known(of: "wharf/b", at: "http://a", seeing: 1) == nil)
    for number in 0...HeadMemory.mostLogs {
      read.keep(head(1, 1, 1), of: "wharf/\(number)", at: "http://\(number)")
    }
    #expect(read.logs.count == HeadMemory.mostLogs && read.places.count == HeadMemory.mostLogs)
    #expect(read.known(of: "wharf/a", at: "http://c", seeing: 1) == nil)
  }

  @Test func `The furthest sealed head of a log is shown where it answers`() throws {
    var memory = HeadMemory()
    func sealed(_ position: Int64) -> SealedHead {
      SealedHead(head: head(1, position, 1), seal: .zero)
    }
    memory.keep(head(1, 5, 1), of: "wharf/a", at: "http://a", sealed(5))
    memory.keep(head(1, 6, 1), of: "wharf/a", at: "http://a")
    memory.keep(head(1, 7, 1), of: "wharf/a", at: "http://a", sealed(9))
    memory.keep(head(1, 8, 1), of: "wharf/b", at: "http://b")
    memory = try HeadMemory(jsonBytes: memory.jsonBytes)
    #expect(memory.sealed(at: "http://a") == sealed(5), "one beyond what was told is not believed")
    #expect(memory.sealed(at: "http://b") == nil)
    memory.keep(head(1, 9, 1), of: "wharf/a", at: "http://c", sealed(9))
    #expect(memory.sealed(at: "http://a") == sealed(9))
  }

  /// A backup restored elsewhere has the name of the original, and began an era of its own.
  @Test func `What a drill with a backup shows is no news of the original`() throws {
    let (home, drill, other) = ("http://home", "http://drill", "http://other")
    var memory = HeadMemory()
    memory.keep(head(1, 2_842, 7), of: "wharf/a", at: home)
    let seen = head(1_104, 1_105, 9)
    let known = memory.known(of: "wharf/a", at: drill, seeing: 1_104)
    #expect(HeadJudgement.of(seen, after: known, mustReach: true) == .newer)
    memory.keep("wharf/a", at: drill)
    memory.keep(seen, of: "wharf/a", at: drill)
    memory = try HeadMemory(jsonBytes: memory.jsonBytes)
    // At home, and where else the original answers, it goes on as it was; and it is still found out.
    for place in [home, other] {
      let known = memory.known(of: "wharf/a", at: place, seeing: 1)
      #expect(HeadJudgement.of(head(1, 2_843, 8), after: known, mustReach: true) == .newer)
      let shorter = HeadJudgement.of(head(1, 2_000, 8), after: known, mustReach: true)
      #expect(shorter != .known && shorter != .newer)
    }
    // The drill's log does not go back to the old era by itself.
    let own = memory.known(of: "wharf/a", at: drill, seeing: 1)
    #expect(own == seen)
    #expect(HeadJudgement.of(head(1, 2_843, 8), after: own, mustReach: true) != .newer)
    // A memory from before eras had places is read, and says what it said.
    let old = HeadMemory(
      logs: [.init(log: "wharf/a", head: seen)], places: [.init(api: home, log: "wharf/a")])
    #expect(
      try HeadMemory(jsonBytes: old.jsonBytes).known(of: "wharf/a", at: home, seeing: 1) == seen)
  }
}
