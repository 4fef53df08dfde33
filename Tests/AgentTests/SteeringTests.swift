// Whom an agent believes.

import Agent
import Hosting
import Testing
import Wire

private let node = Stream(.node, 5)

@Suite struct `Being steered` {
  @Test func `a newer assignment is accepted, the same is nothing new, an older one is stale`() {
    var steering = Steering()
    #expect(steering.offer(assignment(40, [assigned("31.1.40")]), for: node) == .accepted)
    #expect(
      steering.offer(assignment(40, [assigned("31.1.40")], head: head(45)), for: node) == .unchanged
    )
    #expect(steering.offer(assignment(39, [], head: head(50)), for: node) == .stale)
    #expect(steering.offer(assignment(41, [], head: head(60)), for: node) == .accepted)
    #expect(steering.assignment?.generation == 41)
    #expect(steering.head == head(60))
    #expect(steering.alarm == nil)
  }

  @Test func `one generation names one set of attempts`() {
    var steering = Steering(assignment: assignment(40, [assigned("31.1.40")]))
    let other = assignment(40, [assigned("31.1.40", on: ["sim-1"])], head: head(50))
    #expect(
      steering.offer(other, for: node)
        == .mistrusted("generation 40 names other attempts than it did before"))
    #expect(steering.assignment?.attempts.first?.devices == ["sim-0"])
    #expect(steering.alarm != nil)
  }

  @Test func `an assignment of another node is not acted on`() {
    var steering = Steering()
    let other = assignment(40, [], node: Stream(.node, 6))
    #expect(
      steering.offer(other, for: node)
        == .mistrusted("the assignment is for node/6, and this is node/5"))
    #expect(steering.assignment == nil)
  }

  @Test
  func `another event at a position that was seen raises the alarm, until the true log is heard`() {
    var steering = Steering(head: head(100))
    #expect(
      steering.hear(head(100, hash: 8))
        == .mistrusted("the log holds another event at 100 than the one seen there"))
    #expect(steering.alarm != nil)
    #expect(steering.head == head(100))
    #expect(steering.hear(head(101)) == .believed)
    #expect(steering.alarm == nil)
  }

  @Test func `a server that lags behind is no liar`() {
    var steering = Steering(head: head(100))
    #expect(steering.hear(head(90, hash: 1)) == .behind)
    #expect(steering.alarm == nil)
    #expect(steering.head == head(100))
  }

  @Test func `an era that began after all that was seen is followed`() {
    var steering = Steering(head: head(100))
    #expect(steering.hear(head(110, era: 101)) == .believed)
    #expect(
      steering.hear(head(200, era: 1))
        == .mistrusted(
          "the control plane speaks for the era that began at 1, "
            + "but the one that began at 101 was seen"))
  }

  @Test func `an era that began before what was seen lost facts, and steers nothing`() {
    var steering = Steering(head: head(100), assignment: assignment(90, [assigned("31.1.90")]))
    let restored = assignment(120, [], head: head(120, era: 61))
    #expect(
      steering.offer(restored, for: node)
        == .mistrusted(
          "the control plane's era began at 61, but the log was seen up to 100 before it"))
    #expect(steering.assignment?.generation == 90)
  }

  @Test func `a generation past its own head is no true one`() {
    var steering = Steering()
    guard case .mistrusted = steering.offer(assignment(40, [], head: head(39)), for: node) else {
      Issue.record("it was believed")
      return
    }
  }
}

@Suite struct `Holding a lease` {
  private let sent = BootTime(nanoseconds: 1_000_000_000)

  @Test func `counts from when the answered request was sent`() {
    var lease = Lease()
    #expect(!lease.holds(at: sent))
    lease.renew(sentAt: sent, seconds: 30)
    #expect(lease.holds(at: sent.adding(milliseconds: 29_999)))
    #expect(!lease.holds(at: sent.adding(seconds: 30)))
  }

  @Test func `is never shortened by an answer that comes late`() {
    var lease = Lease()
    lease.renew(sentAt: sent.adding(seconds: 10), seconds: 30)
    lease.renew(sentAt: sent, seconds: 30)
    #expect(lease.holds(at: sent.adding(seconds: 39)))
  }
}
