// When an engine counts as ready.

import Hosting
import Testing

@testable import Agent

private let start = BootTime(nanoseconds: 0)

@Suite struct `Judging health` {
  @Test func `a loading engine becomes ready at its first answer`() {
    var health = Health(
      standing: .loading(deadline: start.adding(seconds: 60)), periodMilliseconds: 500,
      at: start)
    #expect(health.probed(answered: false, at: start) == nil)
    #expect(health.pauseMilliseconds == 500)
    #expect(health.probed(answered: true, at: start) == .becameReady)
    #expect(health.standing == .ready)
  }

  @Test func `a loading engine is given up at its deadline, not before`() {
    let deadline = start.adding(seconds: 60)
    var health = Health(standing: .loading(deadline: deadline), periodMilliseconds: 500, at: start)
    #expect(health.probed(answered: false, at: start.adding(milliseconds: 59_999)) == nil)
    #expect(health.probed(answered: false, at: deadline) == .gaveUp)
    var late = Health(standing: .loading(deadline: deadline), periodMilliseconds: 500, at: start)
    #expect(late.probed(answered: true, at: deadline) == .becameReady)
  }

  @Test func `failures in a row make it unhealthy, one answer makes it ready again`() {
    var health = Health(standing: .ready, periodMilliseconds: 500, at: start)
    #expect(health.probed(answered: false, at: start) == nil)
    #expect(health.probed(answered: false, at: start) == nil)
    #expect(health.probed(answered: true, at: start) == nil)
    #expect(health.probed(answered: false, at: start) == nil)
    #expect(health.probed(answered: false, at: start) == nil)
    #expect(health.probed(answered: false, at: start) == .becameUnhealthy)
    #expect(health.probed(answered: false, at: start) == nil)
    #expect(health.probed(answered: true, at: start) == .becameReady)
  }

  @Test func `probing slows while all is well, and is quick again at the first failure`() {
    var health = Health(standing: .ready, periodMilliseconds: 500, at: start)
    var pauses: [Int] = []
    for _ in 0..<5 {
      _ = health.probed(answered: true, at: start)
      pauses.append(health.pauseMilliseconds)
    }
    #expect(pauses == [1000, 2000, 4000, 5000, 5000])
    _ = health.probed(answered: false, at: start)
    #expect(health.pauseMilliseconds == 500)
  }

  @Test func `a period out of all bounds is brought within them`() {
    #expect(Health(standing: .ready, periodMilliseconds: 0, at: start).pauseMilliseconds == 50)
    #expect(
      Health(standing: .ready, periodMilliseconds: 1 << 40, at: start).pauseMilliseconds == 5000)
  }
}

@Suite struct `Looks at engines` {
  private let start = BootTime(nanoseconds: 0)

  private func health(failures: Int, grace: Int = 0) -> Health {
    var health = Health(
      standing: .loading(deadline: start.adding(seconds: 60)), periodMilliseconds: 500,
      liveness: Launch.Liveness(
        path: nil, periodSeconds: 1, failures: failures, graceSeconds: grace, request: nil),
      at: start)
    #expect(health.looked(answered: false, at: start) == nil, "one that loads is not looked at")
    #expect(health.probed(answered: true, at: start) == .becameReady)
    return health
  }

  @Test func `half of the failed ones take it out of the routes, all of them end it`() {
    var health = health(failures: 4)
    #expect(health.looked(answered: false, at: start) == nil)
    #expect(health.looked(answered: false, at: start) == .becameUnhealthy)
    #expect(health.probed(answered: true, at: start) == nil, "its health alone is of no use")
    #expect(health.looked(answered: false, at: start) == nil)
    #expect(health.looked(answered: false, at: start) == .hung)
  }

  @Test func `one that is answered starts the count anew`() {
    var health = health(failures: 2)
    for _ in 0..<5 {
      #expect(health.looked(answered: false, at: start) == .becameUnhealthy)
      #expect(health.looked(answered: true, at: start) == nil)
      #expect(health.probed(answered: true, at: start) == .becameReady)
    }
  }

  @Test func `within its grace after it became ready none counts`() {
    var health = health(failures: 1, grace: 30)
    #expect(health.looked(answered: false, at: start.adding(seconds: 29)) == nil)
    #expect(health.looked(answered: false, at: start.adding(seconds: 30)) == .hung)
  }
}
