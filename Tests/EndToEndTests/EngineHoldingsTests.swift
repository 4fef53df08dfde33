// The checker of G1 finds what it is there to find: hand-made logs of engines that share a device.

import Foundation
import TestKit
import Testing

@Suite struct EngineHoldingsTests {
  private func line(
    _ event: String, at time: Int, pid: Int, attempt: String, devices: [String] = ["sim-0"],
    milli: Int = 1_000
  ) -> String {
    let names = devices.map { "\"\($0)\"" }.joined(separator: ",")
    return
      #"{"event":"\#(event)","timeMicroseconds":\#(time),"pid":\#(pid),"startTime":\#(pid * 10),"#
      + #""devices":[\#(names)],"milli":\#(milli),"replica":"31.1","attempt":"\#(attempt)"}"#
  }

  private func conflicts(_ lines: [String], killed: [pid_t: Int64] = [:]) throws -> [String] {
    try EngineHoldings(logs: ["node-1": lines.joined(separator: "\n")], killed: killed).conflicts
  }

  @Test func `one after the other is no conflict, and neither are two devices or two nodes`() throws
  {
    let first = [
      line("start", at: 100, pid: 1, attempt: "31.1.40"),
      line("stop", at: 200, pid: 1, attempt: "31.1.40"),
    ]
    let second = line("start", at: 200, pid: 2, attempt: "31.1.50")
    #expect(try conflicts(first + [second]).isEmpty)
    let beside = line("start", at: 150, pid: 3, attempt: "31.2.41", devices: ["sim-1"])
    #expect(try conflicts(first + [beside]).isEmpty)
    let nodes = [
      "node-1": first[0], "node-2": line("start", at: 150, pid: 2, attempt: "31.1.50"),
    ]
    #expect(try EngineHoldings(logs: nodes).conflicts.isEmpty)
  }

  @Test func `a start on a device that is still held is found, in whatever order it was written`()
    throws
  {
    let lines = [
      line("start", at: 100, pid: 1, attempt: "31.1.40", devices: ["sim-0", "sim-1"]),
      line("start", at: 199, pid: 2, attempt: "31.1.50", devices: ["sim-1", "sim-2"]),
      line("stop", at: 200, pid: 1, attempt: "31.1.40", devices: ["sim-0", "sim-1"]),
    ]
    let found =
      "sim-1 of node-1 was held by attempt 31.1.40 (pid 1) when attempt 31.1.50 (pid 2) started"
    #expect(try conflicts(lines) == [found])
    #expect(try conflicts([lines[1], lines[0], lines[2]]) == [found])
    // At the very same moment, too.
    #expect(
      try conflicts([
        line("start", at: 100, pid: 1, attempt: "31.1.40"),
        line("start", at: 100, pid: 2, attempt: "31.1.50"),
      ]).count == 1)
  }

  @Test func `an engine that never said that it stopped holds on, unless it was killed before`()
    throws
  {
    let lines = [
      line("start", at: 100, pid: 1, attempt: "31.1.40"),
      line("start", at: 300, pid: 2, attempt: "31.1.50"),
    ]
    #expect(try conflicts(lines).count == 1)
    #expect(try conflicts(lines, killed: [1: 299]).isEmpty)
    #expect(try conflicts(lines, killed: [1: 301]).count == 1)
  }

  @Test func `slices of a device are added up`() throws {
    let slices = (1...3).map {
      line("start", at: 100 * $0, pid: $0, attempt: "31.\($0).40", milli: 400)
    }
    #expect(try conflicts(Array(slices.prefix(2))).isEmpty)
    #expect(try conflicts(slices).count == 1)
  }

  @Test func `an attempt that was started twice is counted, and a torn log is no proof`() throws {
    let twice = [
      line("start", at: 100, pid: 1, attempt: "31.1.40"),
      line("stop", at: 200, pid: 1, attempt: "31.1.40"),
      line("start", at: 300, pid: 2, attempt: "31.1.40"),
    ].joined(separator: "\n")
    #expect(try EngineHoldings(logs: ["node-1": twice]).starts == ["31.1.40": 2])
    #expect(throws: TestFailure.self) { try conflicts([#"{"event":"sta"#]) }
    #expect(throws: TestFailure.self) {
      try conflicts([line("stop", at: 200, pid: 1, attempt: "31.1.40")])
    }
  }
}
