// Finds PostgreSQL's server programs, and the user to run them as: the server refuses to be root.

import Glibc
import Machine

struct PostgresPrograms: Sendable {
  struct SystemUser: Sendable {
    let name: String
    let uid: uid_t
    let gid: gid_t
  }

  let folder: String
  let user: SystemUser
  /// Who runs the bench.
  let caller: String

  init() throws(BenchFailure) {
    folder = try Self.findFolder()
    caller = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "root"
    user = try Self.findUser(caller)
  }

  /// The command line that starts one of the programs as the right user, and ends it with us.
  func command(_ program: String, _ arguments: [String]) -> [String] {
    let becoming =
      geteuid() == 0
      ? ["--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups"] : []
    return ["setpriv"] + becoming + ["--", "\(folder)/\(program)"] + arguments
  }

  private static func findFolder() throws(BenchFailure) -> String {
    let versions = "/usr/lib/postgresql"
    let installed = Files.names(in: versions).compactMap { Int($0) }.sorted(by: >)
      .map { "\(versions)/\($0)/bin" }
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    for folder in installed + path.split(separator: ":").map(String.init)
    where ["postgres", "initdb"].allSatisfy({ access("\(folder)/\($0)", X_OK) == 0 }) {
      return folder
    }
    throw BenchFailure(
      "cannot find PostgreSQL's postgres and initdb below \(versions) or on PATH: install the "
        + "package postgresql, or name a server with --postgres")
  }

  private static func findUser(_ caller: String) throws(BenchFailure) -> SystemUser {
    guard geteuid() == 0 else {
      return SystemUser(name: caller, uid: geteuid(), gid: getegid())
    }
    for name in ["postgres", "nobody"] {
      if let entry = getpwnam(name) {
        return SystemUser(name: name, uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
      }
    }
    throw BenchFailure("cannot run PostgreSQL as root, and there is no other user to become")
  }
}
