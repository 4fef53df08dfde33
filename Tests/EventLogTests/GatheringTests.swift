// How batches are gathered, without a clock: what may be waited for, and how.

import Hosting
import TestKit
import Testing

@testable import EventLog

@Suite struct GatheringTests {
  private func gathering(lastTook took: Duration, of count: Int = 16) -> Gathering {
    var gathering = Gathering()
    gathering.note(count, took: took)
    return gathering
  }

  @Test
  func `few callers are waited for all together, of many one half goes while the other comes`() {
    #expect([1, 16, 46].map(Gathering.share) == [1, 16, 46])
    #expect([48, 64, 256].map(Gathering.share) == [24, 32, 128])
    #expect(Gathering.share(of: 10_000) == Batch.commandLimit)
  }

  @Test func `an answer that comes at once is looked for awake, if nobody needs the core`() {
    let quick = gathering(lastTook: .microseconds(400))
    #expect(quick.spinning(behind: 16) > .zero)
    #expect(quick.spinning(behind: 1) == .zero, "one caller gains nothing")
    #expect(quick.spinning(behind: 128) == .zero, "as many again are at work")
    #expect(
      gathering(lastTook: .milliseconds(5)).spinning(behind: 16) == .zero, "the disk is slow")
  }

  @Test func `on a clock that stands still it does not wait for ever`() {
    let inbox = Inbox(limits: InboxLimits()) {}
    inbox.open()
    let request = CommandRequest(
      id: .random(), command: PlaceMark(name: Name(known: "a")), principal: .tester)
    inbox.add(PendingCommand(request: request, seal: .zero))
    var taken = 0
    gathering(lastTook: .seconds(1)).take(inbox, having: 0, by: TestClock().clocks) {
      taken += $0.count
    }
    #expect(taken == 1)
  }

  @Test func `it looks no longer than it thinks that the answer takes`() {
    #expect(gathering(lastTook: .zero).spinning(behind: 16) < .milliseconds(1))
  }
}
