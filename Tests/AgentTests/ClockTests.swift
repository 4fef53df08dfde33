// Times and durations that are not of this world must not end the agent.

import Foundation
import Hosting
import Testing
import Time

@testable import Agent

@Suite struct `Clocks of agents` {
  private let start = BootTime(nanoseconds: 5_000_000_000)

  @Test(arguments: [9_999_999_999, Int.max / 1000, .max])
  func `a deadline beyond all time is at its end`(seconds: Int) {
    let end = start.adding(seconds: seconds)
    #expect(end.nanoseconds == .max)
    #expect(start.milliseconds(until: end) == (Int64.max - 5_000_000_000) / 1_000_000 + 1)
    #expect(BootTime(nanoseconds: .min).milliseconds(until: end) > 0)
    #expect(start.adding(seconds: -seconds) < start)
    var lease = Lease()
    lease.renew(sentAt: start, seconds: seconds)
    #expect(lease.holds(at: end.adding(milliseconds: -1)))
  }

  @Test func `an agent counts from the start of its machine, as the kernel does`() throws {
    func uptime() throws -> Double {
      let text = try String(contentsOfFile: "/proc/uptime", encoding: .utf8)
      return try #require(text.split(separator: " ").first.flatMap { Double($0) })
    }
    let before = try uptime()
    let now = Double(Clocks.system.bootTime.nanoseconds) / 1e9
    let after = try uptime()
    // The kernel tells hundredths.
    #expect(now >= before && now <= after + 0.01)
  }

  @Test func `what is left is rounded up and never negative`() {
    #expect(start.milliseconds(until: start) == 0)
    #expect(start.milliseconds(until: BootTime(nanoseconds: 5_000_000_001)) == 1)
    #expect(start.milliseconds(until: start.adding(milliseconds: 7)) == 7)
    #expect(start.adding(seconds: 1).milliseconds(until: start) == 0)
  }

  @Test func `a grace is what wharf-holder takes`() {
    #expect(ProcessHost.grace(-1) == 0)
    #expect(ProcessHost.grace(30) == 30)
    #expect(ProcessHost.grace(.max) == 86_400)
  }
}
