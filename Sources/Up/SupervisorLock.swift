// Who tends a data folder: one process at a time, let go by its death. See Launcher for why a
// process that is just being started holds it too.

import Glibc
import Machine

final class SupervisorLock: Sendable {
  /// What the holder is at.
  enum Role: String, Sendable {
    case up
    case down
  }

  /// Who holds it, as far as it said so by now.
  struct Holder: Sendable {
    let process: ProcessRecord
    let role: Role
  }

  enum Attempt {
    case taken(SupervisorLock)
    case held(Holder?)
  }

  private let file: LockFile
  var descriptor: Int32 { file.descriptor }

  private init(file: LockFile) { self.file = file }

  /// Lets go now, so that someone else can take it; nobody is to think that we still hold it.
  func release() { file.release() }

  static func take(_ layout: Layout, as role: Role) throws(UpFailure) -> Attempt {
    do throws(FileProblem) {
      let file = try LockFile(layout.lock)
      guard file.take() else { return .held(holder(layout)) }
      // The role stands where other records have the digest of a command.
      try file.write(ProcessRecord(pid: getpid(), commandDigest: role.rawValue)?.text ?? "")
      return .taken(SupervisorLock(file: file))
    } catch {
      throw UpFailure(error)
    }
  }

  static func holder(_ layout: Layout) -> Holder? {
    guard let record = ProcessRecord(file: layout.lock), record.isAlive,
      let role = Role(rawValue: record.commandDigest)
    else { return nil }
    return Holder(process: record, role: role)
  }
}
