// What wharf-holder writes of its engine: how it was started and how it ended.

import Hosting
import Machine

package struct HolderState: JSONRecord, Equatable, Sendable {
  package enum Phase: String, CaseIterable, Sendable, JSONCoded {
    /// The holder runs; nothing was started → running, failed.
    case starting
    /// The engine's pid is known → exited, failed.
    case running
    /// The engine and all it started are gone. For ever.
    case exited
    /// The engine's program could not be executed. For ever.
    case failed
  }

  package struct ExitStatus: Codable, Equatable, Sendable {
    package var code: Int?
    package var signal: Int?
  }

  package var phase: Phase
  package var holderPid: Int64
  package var holderStartTime: Int64
  package var bootId: String
  package var pid: Int64?
  package var startTime: Int64?
  package var startedAtMicroseconds: Int64?
  package var exitStatus: ExitStatus?
  package var error: String?

  package var holder: ProcessIdentity? { Self.process(holderPid, holderStartTime) }

  package var engine: ProcessIdentity? {
    guard let pid, let startTime else { return nil }
    return Self.process(pid, startTime)
  }

  private static func process(_ pid: Int64, _ startTime: Int64) -> ProcessIdentity? {
    guard pid > 0, let pid = Int32(exactly: pid), let startTime = UInt64(exactly: startTime) else {
      return nil
    }
    return ProcessIdentity(pid: pid, startTime: startTime)
  }

  /// The engine can write this file too, so its numbers may be those of no process.
  private var namesProcesses: Bool {
    holder != nil && (pid == nil || startTime == nil || engine != nil)
  }

  /// - Returns: nil when there is none, or none that can be read.
  package static func read(_ path: String) -> HolderState? {
    guard let bytes = (try? Files.read(path)).flatMap({ $0 }),
      let state = try? HolderState(lenientJSON: bytes), state.namesProcesses
    else { return nil }
    return state
  }
}
