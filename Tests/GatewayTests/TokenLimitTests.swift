// Limits of tokens a minute: what requests may take is set aside before they are let through, and what they
// took is charged when they end.

import Hosting
import Testing
import Wire

@testable import Gateway

@Suite struct TokenLimitTests {
  private static let limit = 200

  private struct Desk {
    var state: GateState

    init(limit: Int = TokenLimitTests.limit, sharing: Bool = false) {
      var policy = Sample.policy()
      policy.teams[0].tokensPerMinute = limit
      policy.sharesLimits = sharing
      state = .holding(policy, until: 10_000)
    }

    mutating func ask(
      _ answerTokens: Int?, prompt: Int = 0, answers: Int = 1, at seconds: Double = 0
    ) -> Result<GateState.Admission, Rejection> {
      state.admit(
        keyDigest: Sample.digest(Sample.key), model: "xai/grok-3",
        wish: TokenWish(promptTokens: prompt, answerTokens: answerTokens, answers: answers),
        now: Moment(date: Sample.now, uptime: .milliseconds(Int64(seconds * 1_000))))
    }

    mutating func refusal(at seconds: Double) -> Rejection? {
      if case .failure(let rejection) = ask(1, at: seconds) { rejection } else { nil }
    }

    mutating func finish(_ admission: GateState.Admission, _ tokens: Int, at seconds: Double = 0) {
      state.finish(
        admission.id, tokens: tokens, now: .milliseconds(Int64(seconds * 1_000)))
    }

    mutating func share(_ base: Int, round: Int) {
      state.take(ShareAnswer(round: round, epoch: 50, base: base), era: 1)
    }

    mutating func reported(at seconds: Int = 0) -> ShareReport.Item? {
      state.shareReport(now: .seconds(seconds))?.items.first { $0.limit.kind == .tokens }
    }
  }

  @Test func `of many streams at once so many pass as the limit has tokens for`() throws {
    var desk = Desk()
    let passed = (0..<20).compactMap { _ in try? desk.ask(100).get() }
    #expect(passed.count == 2)
    #expect(passed.map(\.quota.tokens?.remaining) == [100, 0])
    for admission in passed { desk.finish(admission, 30, at: 5) }
    // What they did not take is there for others.
    let third = try desk.ask(100, prompt: 40, at: 5).get()
    #expect(third.quota.tokens?.remaining == 0)
    desk.finish(third, 140, at: 6)
    let denial = try #require(desk.ask(100, at: 6).denial)
    #expect(denial.retryAfterSeconds == 61, "the 60 that leave at 66 s are too few")
    #expect(desk.ask(100, at: 65).denial != nil)
    #expect(desk.ask(60, at: 66).denial == nil)
  }

  @Test func `prompt and each answer count, and who asks for less may pass`() throws {
    var desk = Desk()
    _ = try desk.ask(50, prompt: 10, answers: 3).get()
    let denial = try #require(desk.ask(50).denial)
    #expect(denial.message.contains("40 are left") && denial.message.contains("may take 50"))
    #expect(denial.retryAfterSeconds == 5, "what runs may end sooner, and with less")
    #expect(desk.ask(40).denial == nil)
    let full = try #require(desk.ask(1).denial)
    #expect(full.message.contains("is used up at this gateway"))
  }

  @Test func `one that may take more than the limit passes where there is nothing else`() throws {
    var desk = Desk()
    let small = try desk.ask(1).get()
    #expect(desk.ask(1_000).denial?.status == 429)
    desk.finish(small, 0)
    let large = try desk.ask(.max, prompt: .max, answers: .max).get()
    #expect(desk.ask(1).denial?.status == 429)
    desk.finish(large, 2_040, at: 9)
    // 200 of it are used, 1840 are owed: for nine minutes and a part of the tenth.
    #expect(desk.ask(1, at: 9).denial?.retryAfterSeconds == 61 * 10)
    #expect(desk.ask(1, at: 9 + 609).denial?.status == 429)
    #expect(desk.ask(1, at: 9 + 610).denial == nil)
  }

  @Test(arguments: [20_000, Int.max], [false, true])
  func `what is owed is paid within an hour, and nobody is told to wait for longer`(
    _ tokens: Int, _ isSharing: Bool
  ) throws {
    var desk = Desk(sharing: isSharing)
    if isSharing {
      _ = desk.reported()
      desk.share(Share.whole, round: 1)
    }
    let admission = try desk.ask(100, prompt: .max).get()
    desk.finish(admission, tokens)
    let refusal = desk.refusal(at: 1)
    let denied = try #require(refusal)
    let wait = try #require(denied.denial.retryAfterSeconds)
    #expect((3_000...3_600).contains(wait))
    #expect(denied.quota?.tokens?.resetSeconds == Double(wait))
    #expect(desk.ask(1, at: Double(wait)).denial != nil)
    #expect(desk.ask(1, at: Double(1 + wait)).denial == nil, "what it was told is so")
  }

  @Test func `many answers that took more than was set aside are owed in full`() throws {
    var desk = Desk()
    let asked = try (0..<5).map { _ in try desk.ask(20).get() }
    for admission in asked { desk.finish(admission, 10_000) }
    #expect(desk.refusal(at: 1)?.denial.retryAfterSeconds == 3_600)
    #expect(
      desk.ask(1, at: 3_700).denial != nil, "what one of them is let off is not let off for all")
  }

  @Test func `a limit that is lowered leaves no debt of more than an hour`() throws {
    var desk = Desk(limit: 1_000_000)
    let admission = try desk.ask(100).get()
    desk.finish(admission, 40_000_000)
    var policy = Sample.policy().next()
    policy.teams[0].tokensPerMinute = 10
    _ = desk.state.apply(PolicyIndex(policy), now: Moment(date: Sample.now, uptime: .zero))
    let refusal = desk.refusal(at: 1)
    let wait = try #require(refusal?.denial.retryAfterSeconds)
    #expect(wait <= 3_600)
    #expect(desk.ask(1, at: Double(1 + wait)).denial == nil)
  }

  @Test func `a gateway with a small part is told of no longer wait either`() throws {
    var desk = Desk(sharing: true)
    _ = desk.reported()
    desk.share(Share.whole, round: 1)
    let admission = try desk.ask(100).get()
    desk.finish(admission, 1_000_000)
    _ = desk.reported()
    desk.share(Share.whole / 100, round: 2)
    for second in [1.0, 30] {
      let refusal = desk.refusal(at: second)
      let wait = try #require(refusal?.denial.retryAfterSeconds)
      #expect(wait <= 3_600)
    }
  }

  @Test func `a request that names no end is taken to be like those before it`() throws {
    var desk = Desk(limit: 1_000)
    let first = (0..<9).compactMap { _ in try? desk.ask(nil, prompt: 4).get() }
    #expect(first.count == 1_000 / (AnswerLengths.assumedTokens + 4))
    for admission in first { desk.finish(admission, 24) }
    for minute in 1...40 {
      let admission = try desk.ask(nil, prompt: 4, at: Double(minute) * 61).get()
      desk.finish(admission, 24, at: Double(minute) * 61)
    }
    let later = (0..<90).compactMap { _ in try? desk.ask(nil, prompt: 4, at: 61 * 41).get() }
    #expect((30...1_000 / 20).contains(later.count), "\(later.count)")
  }

  @Test func `the leader is told of what is set aside and what is owed`() throws {
    var desk = Desk(sharing: true)
    _ = desk.reported()
    desk.share(Share.whole, round: 1)
    let admission = try desk.ask(150).get()
    #expect(desk.reported().map { [$0.used, $0.wanted, $0.owed ?? 0] } == [150, 150, 0])
    desk.finish(admission, 900, at: 1)
    #expect(desk.state.wantsShares, "whoever is turned away for it wants to see why")
    #expect(desk.reported(at: 1).map { [$0.used, $0.wanted, $0.owed ?? 0] } == [200, 200, 700])
  }

  @Test func `what was set aside of a part that is less by now is no debt`() throws {
    var desk = Desk(sharing: true)
    _ = desk.reported()
    desk.share(Share.whole, round: 1)
    let admission = try desk.ask(150).get()
    _ = desk.reported()
    desk.share(Share.whole / 2, round: 2)
    #expect(desk.ask(1).denial != nil)
    desk.finish(admission, 150)
    #expect(desk.reported().map { [$0.used, $0.owed ?? 0] } == [150, 0])
  }

  @Test func `a gateway with a part too small for a request wants more of the limit`() throws {
    var desk = Desk(sharing: true)
    _ = desk.reported()
    desk.share(Share.whole / 10, round: 1)
    _ = desk.reported()
    desk.share(Share.whole / 10, round: 2)
    #expect(try desk.ask(100).get().quota.tokens?.remaining == 0)
    #expect(desk.state.wantsShares && desk.reported()?.wanted == 100)
  }

  @Test(arguments: UInt64(1)...8)
  func `no minute has more tokens than the limit where no answer takes more than it may`(
    seed: UInt64
  ) throws {
    var random = SplitMix(seed: seed)
    var desk = Desk()
    var running: [(admission: GateState.Admission, wish: Int, end: Double)] = []
    var charged: [(at: Double, tokens: Int)] = []
    var now = 0.0
    for _ in 0..<3_000 {
      now += Double.random(in: 0...2, using: &random)
      while let index = running.indices.min(by: { running[$0].end < running[$1].end }),
        running[index].end <= now
      {
        let (admission, wish, end) = running.remove(at: index)
        let tokens = Int.random(in: 0...wish, using: &random)
        desk.finish(admission, tokens, at: end)
        charged.append((end, tokens))
      }
      let wish = Int.random(in: 1...120, using: &random)
      if let admission = try? desk.ask(wish, at: now).get() {
        let end = now + Double.random(in: 0...90, using: &random)
        running.append((admission, wish, end))
      }
    }
    let minutes = charged.map { first in
      charged.filter { $0.at >= first.at && $0.at < first.at + 60 }.reduce(0) { $0 + $1.tokens }
    }
    #expect(minutes.max() ?? 0 <= Self.limit)
    #expect(charged.count > 300)
  }
}
