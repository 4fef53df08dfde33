// Another user for engines than the agent's own, which holds the node's credential and every engine's key. The
// agent runs as root then; an engine gets the user's groups, a working folder of its own, and no way back.

import Glibc
import Hosting
import Machine

package struct EngineUser: Equatable, Sendable {
  package let name: String
  package let user: uid_t
  /// The primary one first.
  package let groups: [gid_t]
  package let home: String

  /// wharf-holder takes no more.
  private static let mostGroups: Int32 = 64
  private static let longestEntryBytes = 16_384

  /// A user of this machine.
  package init(named name: String) throws(Malformed) {
    guard geteuid() == 0 else {
      throw Malformed(
        "--engine-user \(name) needs an agent that runs as root: nobody else can start engines as another user"
      )
    }
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var bytes = [CChar](repeating: 0, count: Self.longestEntryBytes)
    let code = getpwnam_r(name, &entry, &bytes, bytes.count, &found)
    guard code == 0, found != nil else {
      throw Malformed(
        "there is no user '\(name.shortened(to: 40))' on this machine"
          + (code == 0 ? "" : ": \(String(cString: strerror(code)))"))
    }
    guard entry.pw_uid != 0, entry.pw_gid != 0 else {
      throw Malformed("'\(name)' has root's rights, so engines would have them: name another user")
    }
    var groups = [gid_t](repeating: 0, count: Int(Self.mostGroups))
    var count = Self.mostGroups
    guard getgrouplist(name, entry.pw_gid, &groups, &count) >= 0 else {
      throw Malformed("'\(name)' is in more than \(Self.mostGroups) groups")
    }
    let own = groups.prefix(Int(count)).filter { $0 != entry.pw_gid }
    guard !own.contains(0) else {
      throw Malformed("'\(name)' is in root's group: name another user for engines")
    }
    self.name = name
    user = entry.pw_uid
    self.groups = [entry.pw_gid] + own
    home = entry.pw_dir.map { String(cString: $0) } ?? "/"
  }

  var holderArguments: [String] {
    ["--user", "\(user)", "--groups", groups.map { "\($0)" }.joined(separator: ",")]
  }

  /// What tells programs whom they run as, besides `HOME`.
  var environment: [String: String] { ["USER": name, "LOGNAME": name] }

  /// Makes the working folder of an attempt, which is the user's; whoever enters it passes the folders above,
  /// and reads nothing there.
  func makeWorkFolder(_ path: String, below data: String) throws(FileProblem) {
    let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    try Files.makeFolder(parent)
    for folder in [data, parent] where chmod(folder, 0o711) != 0 {
      throw FileProblem(attempted: "open the way through", path: folder, code: errno)
    }
    try Files.makeFolder(path)
    guard chown(path, user, groups[0]) == 0 else {
      throw FileProblem(attempted: "give away", path: path, code: errno)
    }
  }
}
