// Which devices engines held, and when, by what the simulated ones wrote down themselves (`--engine-log`).
// The oracle of G1: no whole device, and no slices of more than 1000 thousandths, are ever held by
// two attempts at once. Nothing that the control plane wrote goes in.

import Foundation
import Hosting
import TestTools

package struct EngineHoldings: Sendable {
  /// One process, from its start until it said that it holds nothing any more.
  package struct Holding: Sendable {
    package let node: String
    package let devices: [String]
    package let milli: Int
    package let attempt: String
    package let pid: pid_t
    fileprivate let startTime: Int64
    package let fromMicroseconds: Int64
    /// None: it never said that it let go. Until the contrary is known it holds on.
    package fileprivate(set) var untilMicroseconds: Int64?
  }

  private static let wholeMilli = 1_000

  package private(set) var holdings: [Holding] = []

  /// - Parameters:
  ///   - logs: the text of each node's log; two nodes may have devices of one name.
  ///   - killed: engines that cannot have said a last word, and when they were sent SIGKILL, in
  ///     microseconds since 1970.
  package init(logs: [String: String], killed: [pid_t: Int64] = [:]) throws {
    for (node, text) in logs.sorted(by: { $0.key < $1.key }) {
      for line in text.split(separator: "\n") { try read(String(line), of: node) }
    }
    for index in holdings.indices where holdings[index].untilMicroseconds == nil {
      holdings[index].untilMicroseconds = killed[holdings[index].pid]
    }
  }

  private struct Line: Decodable {
    let event: String
    let timeMicroseconds: Int64
    let pid: pid_t
    let startTime: Int64
    let devices: [String]
    let milli: Int
    let attempt: String?
  }

  private mutating func read(_ text: String, of node: String) throws {
    let line: Line
    do { line = try JSONDecoder().decode(Line.self, from: Data(text.utf8)) } catch {
      throw TestFailure(
        "the engine log of \(node) has a line that cannot be read: \(text): \(error)")
    }
    let own = holdings.lastIndex {
      $0.node == node && $0.pid == line.pid && $0.startTime == line.startTime
    }
    switch (line.event, own) {
    case ("start", nil):
      holdings.append(
        Holding(
          node: node, devices: line.devices, milli: line.milli, attempt: line.attempt ?? "unknown",
          pid: line.pid, startTime: line.startTime, fromMicroseconds: line.timeMicroseconds))
    case ("stop", let own?): holdings[own].untilMicroseconds = line.timeMicroseconds
    case ("ready", _?), ("serving", _?): break
    default: throw TestFailure("the engine log of \(node) has a line out of order: \(text)")
    }
  }

  /// How often an engine was started for each attempt.
  package var starts: [String: Int] {
    holdings.reduce(into: [:]) { $0[$1.attempt, default: 0] += 1 }
  }

  /// A line for each start on a device that was held as far as it may be; none, as it must be.
  package var conflicts: [String] {
    var found: [String] = []
    for new in holdings {
      for device in new.devices {
        let others = holdings.filter { old in
          old.node == new.node && old.devices.contains(device) && !(old == new)
            && old.holds(at: new.fromMicroseconds) && (old.key, old.pid) < (new.key, new.pid)
        }
        guard others.reduce(new.milli, { $0 + $1.milli }) > Self.wholeMilli else { continue }
        let held = others.map { "attempt \($0.attempt) (pid \($0.pid))" }.joined(separator: ", ")
        found.append(
          "\(device) of \(new.node) was held by \(held) when attempt \(new.attempt) "
            + "(pid \(new.pid)) started")
      }
    }
    return found
  }
}

extension EngineHoldings.Holding {
  fileprivate static func == (a: Self, b: Self) -> Bool {
    a.node == b.node && a.pid == b.pid && a.startTime == b.startTime
  }

  /// Of two that start at the same moment one comes first.
  fileprivate var key: Int64 { fromMicroseconds }

  fileprivate func holds(at moment: Int64) -> Bool {
    fromMicroseconds <= moment && untilMicroseconds.map { moment < $0 } ?? true
  }
}
