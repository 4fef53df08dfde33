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
    guard let seen = ProcessTable.status(of: pid) else { return nil }
    self.init(
      pid: pid, startTicks: seen.identity.startTime, bootID: Self.bootID,
      commandDigest: commandDigest)
  }

  /// Of now.
  private static let bootID = (try? ProcessTable.bootID()) ?? "unknown"

  var identity: ProcessIdentity { ProcessIdentity(pid: pid, startTime: startTicks) }

  var text: String { "\(pid) \(startTicks) \(bootID) \(commandDigest)\n" }

  /// Whether that very process still runs; one that only waits to be reaped does not.
  package var isAlive: Bool {
    bootID == Self.bootID && ProcessIdentity(running: pid) == identity
  }
}
