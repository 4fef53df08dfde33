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

  let descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Lets go now, so that someone else can take it; nobody is to think that we still hold it.
  func release() {
    ftruncate(descriptor, 0)
    flock(descriptor, LOCK_UN)
  }

  static func take(_ layout: Layout, as role: Role) throws(UpFailure) -> Attempt {
    let descriptor = open(layout.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Files.failure("open", layout.lock) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return .held(holder(layout))
    }
    let lock = SupervisorLock(descriptor: descriptor)
    // The role stands where other records have the digest of a command.
    let text = Array((ProcessRecord(pid: getpid(), commandDigest: role.rawValue)?.text ?? "").utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count
    else { throw Files.failure("write", layout.lock) }
    return .taken(lock)
  }

  static func holder(_ layout: Layout) -> Holder? {
    guard let record = ProcessRecord(file: layout.lock), record.isAlive,
      let role = Role(rawValue: record.commandDigest)
    else { return nil }
    return Holder(process: record, role: role)
  }
}
