// What is left of an attempt whose holder is gone: members of the engine's group or of the holder's
// session, and whoever carries the attempt's mark in its environment. Normally nothing.

import Machine

package enum Remains {
  /// In every engine's environment: the folder of its attempt, which no other agent uses.
  package static let folderVariable = "WHARF_ATTEMPT_FOLDER"

  /// Processes of the attempt that live, zombies left out: those hold no device.
  package static func of(
    folder: String, holder: ProcessIdentity?, engine: ProcessIdentity?
  ) -> [ProcessTable.Status] {
    let group = engine.flatMap { stillNamesItsMembers($0) ? $0 : nil }
    let session = holder.flatMap { stillNamesItsMembers($0) ? $0 : nil }
    return ProcessTable.pids.compactMap { pid in
      guard let status = ProcessTable.status(of: pid), !status.isZombie else { return nil }
      let start = status.identity.startTime
      if let group, status.group == group.pid, start >= group.startTime { return status }
      if let session, status.session == session.pid, start >= session.startTime { return status }
      return ProcessTable.variable(folderVariable, of: pid) == folder ? status : nil
    }
  }

  /// A pid stays reserved while it names a group or session; once another process has it, the group
  /// and session of that name are that process's.
  private static func stillNamesItsMembers(_ leader: ProcessIdentity) -> Bool {
    guard let now = ProcessTable.status(of: leader.pid) else { return true }
    return now.identity == leader
  }

  /// Engines below `attemptsFolder` by the name of their attempt's folder, holders first.
  package static func all(below attemptsFolder: String) -> [String: [ProcessTable.Status]] {
    var found: [String: [ProcessTable.Status]] = [:]
    for pid in ProcessTable.pids {
      guard let folder = ProcessTable.variable(folderVariable, of: pid),
        folder.hasPrefix(attemptsFolder + "/"), let status = ProcessTable.status(of: pid),
        !status.isZombie
      else { continue }
      found[String(folder.dropFirst(attemptsFolder.count + 1)), default: []].append(status)
    }
    return found.mapValues { $0.sorted { isHolder($0) && !isHolder($1) } }
  }

  package static func isHolder(_ status: ProcessTable.Status) -> Bool {
    status.name == "wharf-holder"
  }
}
