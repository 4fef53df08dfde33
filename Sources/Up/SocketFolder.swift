// The folder of PostgreSQL's socket: private to its user, and short, since a socket's path ends at
// 107 bytes wherever the data folder may be.

import Glibc
import Machine

enum SocketFolder {
  static let longestPathBytes = 107
  static let socket = ".s.PGSQL.\(Database.port)"

  /// Where it is for this system, whether it exists or not.
  static func path(
    _ layout: Layout, environment: [String: String] = Environment.own, user: uid_t = geteuid()
  ) -> String {
    let short = "/tmp/wharf-\(user)-\(layout.mark)"
    if user == 0 {
      return access("/run", W_OK) == 0 ? "/run/wharf-\(layout.mark)" : short
    }
    guard let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/"),
      access(runtime, W_OK) == 0
    else { return short }
    let path = "\(runtime)/wharf-\(layout.mark)"
    return "\(path)/\(socket)".utf8.count <= longestPathBytes ? path : short
  }

  /// Makes it, or makes sure that it is the user's own and nobody else's: in /tmp anyone may have
  /// been there first.
  static func make(_ path: String, for user: PostgresPrograms.User) throws(UpFailure) {
    if mkdir(path, 0o700) == 0 {
      guard user.become.isEmpty || chown(path, user.uid, user.gid) == 0 else {
        throw Files.failure("give to user \(user.name) the folder", path)
      }
      return
    }
    guard errno == EEXIST else {
      throw Files.failure("make the folder of PostgreSQL's socket,", path)
    }
    var facts = stat()
    guard lstat(path, &facts) == 0 else { throw Files.failure("look at", path) }
    // Killed between making it and giving it away, we left it to ourselves.
    if facts.st_uid == geteuid(), !user.become.isEmpty, facts.st_mode & S_IFMT == S_IFDIR {
      guard lchown(path, user.uid, user.gid) == 0 else {
        throw Files.failure("give to user \(user.name) the folder", path)
      }
      facts.st_uid = user.uid
    }
    guard facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == user.uid, facts.st_mode & 0o077 == 0
    else {
      throw UpFailure(
        "cannot use \(path) for PostgreSQL's socket: it is not a private folder of user \(user.name)",
        help: "remove it if nobody needs it")
    }
  }
}
