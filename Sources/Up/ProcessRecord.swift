// Which process a program of ours is: its pid alone could be someone else's by now, so its start
// time and the boot in which that counts go with it. The record is written by the new process
// itself, before it becomes the program: see Launcher.

import Glibc
import Machine

package struct ProcessRecord: Hashable, Sendable {
  package let pid: pid_t
  /// Clock ticks since the boot.
  package let startTicks: UInt64
  package let bootID: String
  /// Of the command line and what is particular in its environment: another one is another program.
  package let commandDigest: String

  /// None when there is no such file, or its writer was killed while at it.
  package init?(file: String) {
    guard let text = Files.text(file), text.hasSuffix("\n") else { return nil }
    let words = text.dropLast().split(separator: " ").map(String.init)
    guard words.count == 4, let pid = pid_t(words[0]), pid > 0, let ticks = UInt64(words[1]) else {
      return nil
    }
    self.init(pid: pid, startTicks: ticks, bootID: words[2], commandDigest: words[3])
  }

  init(pid: pid_t, startTicks: UInt64, bootID: String, commandDigest: String) {
    self.pid = pid
    self.startTicks = startTicks
    self.bootID = bootID
    self.commandDigest = commandDigest
  }

  /// A process of now.
  init?(pid: pid_t, commandDigest: String) {
    guard let seen = ProcessTable.process(pid) else { return nil }
    self.init(
      pid: pid, startTicks: seen.startTicks, bootID: ProcessTable.bootID,
      commandDigest: commandDigest)
  }

  var text: String { "\(pid) \(startTicks) \(bootID) \(commandDigest)\n" }

  /// Whether that very process still runs; one that only waits to be reaped does not.
  package var isAlive: Bool {
    guard bootID == ProcessTable.bootID, let seen = ProcessTable.process(pid) else { return false }
    return seen.startTicks == startTicks && seen.state != "Z" && seen.state != "X"
  }
}

/// What /proc says of processes.
package enum ProcessTable {
  struct Seen {
    let state: Character
    let startTicks: UInt64
  }

  static let bootID: String =
    Files.text("/proc/sys/kernel/random/boot_id")?
    .split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "unknown"

  static func process(_ pid: pid_t) -> Seen? {
    // The name, in parentheses, may hold anything; what follows the last one does not.
    guard let text = Files.text("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else {
      return nil
    }
    let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
    guard fields.count > 19, let state = fields[0].first, let ticks = UInt64(fields[19]) else {
      return nil
    }
    return Seen(state: state, startTicks: ticks)
  }

  static func name(_ pid: pid_t) -> String? {
    Files.text("/proc/\(pid)/comm")?.split(whereSeparator: \.isNewline).first.map(String.init)
  }

  package static var pids: [pid_t] { Files.names(in: "/proc").compactMap { pid_t($0) } }
}
