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

  @Test func `another hash where it looked last is a rewrite, however far the log has gone on`() {
    var steering = Steering(head: head(100))
    let same = SeenEcho(position: 100, hash: digest(7))
    #expect(steering.hear(head(120, hash: 9), same) == .believed)
    let other = SeenEcho(position: 120, hash: digest(8))
    guard case .mistrusted(let reason) = steering.hear(head(140, hash: 5), other) else {
      Issue.record("it was believed")
      return
    }
    #expect(reason.hasPrefix("the log was rewritten: position 120 of era 1 had the hash 0909"))
    #expect(steering.head == head(120, hash: 9))
    // A server that lags behind does not take the alarm away.
    #expect(steering.hear(head(110)) == .behind)
    #expect(steering.alarm != nil)
  }

  @Test func `a leader whose log ends before what was seen lost it`() {
    var steering = Steering(head: head(100))
    guard case .mistrusted = steering.hear(head(90), SeenEcho(position: 100, hash: nil)) else {
      Issue.record("it was believed")
      return
    }
  }

  @Test func `an answer to an older question says nothing`() {
    var steering = Steering(head: head(100))
    #expect(steering.hear(head(101), SeenEcho(position: 90, hash: digest(1))) == .believed)
  }

  @Test func `an era that lost facts is followed once a person says so, and only that one`() {
    var steering = Steering(head: head(100), assignment: assignment(90, [assigned("31.1.90")]))
    var offered = assignment(70, [], head: head(75, era: 61))
    guard case .mistrusted = steering.offer(offered, for: node) else {
      Issue.record("it was believed")
      return
    }
    offered.acceptedEra = 50
    guard case .mistrusted = steering.offer(offered, for: node) else {
      Issue.record("the word on another era was taken")
      return
    }
    offered.acceptedEra = 61
    #expect(steering.offer(offered, for: node) == .accepted)
    #expect(steering.alarm == nil && steering.head == head(75, era: 61))
    #expect(steering.assignment?.generation == 70)
    // The word is spent: a rewrite within that era is found.
    var later = assignment(80, [], head: head(80, era: 61))
    later.acceptedEra = 61
    let echo = SeenEcho(position: 75, hash: digest(1))
    guard case .mistrusted = steering.offer(later, for: node, echo) else {
      Issue.record("a rewrite was believed")
      return
    }
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
