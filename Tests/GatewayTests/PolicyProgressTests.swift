// What a gateway believes of what it is told.

import Hosting
import Testing
import Wire

@testable import Gateway

@Suite struct PolicyProgressTests {
  let first = Sample.policy()

  func held() -> PolicyProgress {
    var progress = PolicyProgress()
    #expect(progress.judge(first) == .apply)
    return progress
  }

  @Test func `news are added to what they are news of, and to nothing else`() {
    var progress = held()
    var news = first.next()
    news.since = 40
    #expect(progress.judge(news) == .apply)
    #expect(progress.applied == 41)
    guard case .ignore = progress.judge(news) else { Issue.record("it was believed twice"); return }
    news = news.next()
    guard case .ignore = progress.judge(news) else { Issue.record("a gap was passed over"); return }
    #expect(progress.applied == 41)
    news.since = 41
    #expect(progress.judge(news) == .apply)
  }

  @Test func `news of an era are added to nothing of another`() {
    var progress = held()
    var news = first.next()
    news.since = 40
    news.head = Sample.head(150, era: 101)
    guard case .ignore = progress.judge(news) else { Issue.record("it was believed"); return }
    news.since = nil
    #expect(progress.judge(news) == .apply)
  }

  @Test func `a policy of a lower position is passed over`() {
    var progress = held()
    #expect(progress.judge(first.next()) == .apply)
    var stale = first
    stale.head = Sample.head(200)
    guard case .ignore = progress.judge(stale) else { Issue.record("it was believed"); return }
    #expect(progress.applied == 41)
  }

  @Test func `a server that knows less than was seen is passed over`() {
    var progress = held()
    guard case .ignore = progress.judge(Sample.head(99)) else {
      Issue.record("it was believed")
      return
    }
  }

  @Test func `one position with two hashes is an alarm`() {
    var progress = held()
    guard case .alarm = progress.judge(Sample.head(100, hash: 8)) else {
      Issue.record("no alarm")
      return
    }
    #expect(progress.judge(Sample.head(100)) == .renew)
  }

  @Test func `another hash where it looked last is an alarm, however far the log has gone on`() {
    var progress = held()
    let other = SeenEcho(
      position: 100, hash: Hosting.Digest(bytes: [UInt8](repeating: 8, count: 32)))
    guard case .alarm = progress.judge(Sample.head(140), other) else {
      Issue.record("no alarm")
      return
    }
    guard case .alarm = progress.judge(Sample.head(90), SeenEcho(position: 100, hash: nil)) else {
      Issue.record("no alarm of a log that was cut")
      return
    }
    let same = SeenEcho(position: 100, hash: Sample.head(100).hash)
    #expect(progress.judge(Sample.head(140), same) == .renew)
  }

  @Test func `what was seen before its own death is held against what is said after`() {
    var progress = PolicyProgress(witness: Sample.head(100))
    var other = first
    other.head = Sample.head(100, hash: 8)
    guard case .alarm = progress.judge(other) else { Issue.record("no alarm"); return }
    #expect(progress.held == nil)
    #expect(progress.judge(first) == .apply)
  }

  @Test func `an earlier era is passed over, a later one is followed if it began after all seen`() {
    var progress = held()
    var later = first.next()
    later.head = Sample.head(150, era: 101)
    #expect(progress.judge(later) == .apply)
    guard case .ignore = progress.judge(first.next().next()) else {
      Issue.record("it was believed")
      return
    }
    #expect(progress.judge(Sample.head(151, era: 101)) == .renew)
  }

  @Test func `an era that began before what was seen is an alarm`() {
    var progress = held()
    var rewritten = first.next()
    rewritten.head = Sample.head(150, era: 100)
    guard case .alarm = progress.judge(rewritten) else { Issue.record("no alarm"); return }
    #expect(progress.applied == 40)
  }
}

extension PolicyProgress {
  fileprivate mutating func judge(_ news: PolicyNews) -> Verdict { judge(news, addedTo: held) }
}
