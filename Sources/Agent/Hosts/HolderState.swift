// What wharf-holder writes of its engine: how it was started and how it ended.

import Hosting

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

  package var holder: ProcessIdentity {
    ProcessIdentity(pid: Int32(holderPid), startTime: UInt64(holderStartTime))
  }

  package var engine: ProcessIdentity? {
    guard let pid, let startTime else { return nil }
    return ProcessIdentity(pid: Int32(pid), startTime: UInt64(startTime))
  }

  /// - Returns: nil when there is none, or none that can be read.
  package static func read(_ path: String) -> HolderState? {
    (try? Files.read(path)).flatMap { $0 }.flatMap { try? HolderState(lenientJSON: $0) }
  }
}
