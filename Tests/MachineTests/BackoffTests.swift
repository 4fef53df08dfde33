// Waits between tries.

import Testing

@testable import Machine

@Suite struct BackoffTests {
  private let first = Backoff(firstMilliseconds: 25, longestMilliseconds: 300)
  private let steps = [25, 50, 100, 200, 300, 300]

  @Test func `waits double up to the longest, and begin anew after a success`() {
    var backoff = first
    #expect(steps.map { _ in backoff.next() } == steps.map { .milliseconds($0) })
    backoff.reset()
    #expect(backoff == first)
  }

  @Test func `half of a wait is at random, so that many do not come back in step`() {
    var random = SystemRandomNumberGenerator()
    var seen: Set<Int> = []
    for _ in 0..<100 {
      var backoff = first
      for step in steps {
        let pause = backoff.pauseMilliseconds(using: &random)
        #expect((step / 2...step).contains(pause))
        if step == 300 { seen.insert(pause) }
      }
    }
    #expect(seen.count > 10)
  }
}
