// PostgreSQL's server programs, and the user that runs them: it refuses to run as root.

import Glibc
import Machine

struct PostgresPrograms: Hashable, Sendable {
  static let oldestVersion = 15
  /// Users that may run it when we are root.
  private static let userName = "postgres"

  struct User: Hashable, Sendable {
    let name: String
    let uid: uid_t
    let gid: gid_t
    /// How a command becomes that user; empty when we are it.
    let become: [String]
  }

  let folder: String
  let version: Int
  let user: User

  /// - Parameters:
  ///   - named: the folder of the programs, when the caller chose one.
  ///   - dataVersion: the version that made the data, which is the only one that can run it.
  static func find(named: String?, dataVersion: Int?) throws(UpFailure) -> PostgresPrograms {
    let user = try findUser()
    let folders = named.map { [$0] } ?? usualFolders()
    var found: [(folder: String, version: Int)] = []
    for folder in folders where !found.contains(where: { $0.folder == folder }) {
      if let version = version(in: folder) { found.append((folder, version)) }
    }
    let usable = found.filter { $0.version >= oldestVersion }
    guard let newest = usable.max(by: { $0.version < $1.version }) else {
      throw notFound(named: named, folders: folders, found: found.map(\.version))
    }
    guard let dataVersion else {
      return PostgresPrograms(folder: newest.folder, version: newest.version, user: user)
    }
    guard let fitting = usable.first(where: { $0.version == dataVersion }) else {
      throw UpFailure(
        "cannot run the database: its files were made by PostgreSQL \(dataVersion), and only "
          + "\(Set(usable.map(\.version)).sorted().map(String.init).joined(separator: ", ")) is here",
        help:
          "install PostgreSQL \(dataVersion) (on Debian: apt install postgresql-\(dataVersion)), "
          + "or name its folder with --postgres")
    }
    return PostgresPrograms(folder: fitting.folder, version: dataVersion, user: user)
  }

  func program(_ name: String) -> String { "\(folder)/\(name)" }

  private static func usualFolders() -> [String] {
    let environment = Environment.own
    var folders: [String] = []
    if let said = ShortCommand.run(["pg_config", "--bindir"], environment: environment),
      said.code == 0
    {
      folders += said.output.split(whereSeparator: \.isNewline).prefix(1).map(String.init)
    }
    folders += (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    for versions in ["/usr/lib/postgresql", "/usr/local/pgsql"] {
      folders += Files.names(in: versions).map { "\(versions)/\($0)/bin" }
    }
    folders += Files.names(in: "/usr").filter { $0.hasPrefix("pgsql-") }.map { "/usr/\($0)/bin" }
    return folders
  }

  private static func version(in folder: String) -> Int? {
    guard ["postgres", "initdb"].allSatisfy({ access("\(folder)/\($0)", X_OK) == 0 }),
      let said = ShortCommand.run(
        ["\(folder)/postgres", "--version"], environment: ["LC_ALL": "C"]),
      said.code == 0
    else { return nil }
    // postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)
    let number = said.output.split(separator: " ").first { $0.first?.isNumber == true }
    return number.flatMap { Int($0.prefix { $0.isNumber }) }
  }

  private static func notFound(named: String?, folders: [String], found: [Int]) -> UpFailure {
    let reason =
      if let old = found.max() {
        "PostgreSQL \(old) is here, and \(oldestVersion) or later is needed"
      } else if let named {
        "there are no programs postgres and initdb in \(named)"
      } else {
        "its programs postgres and initdb are neither where pg_config says, nor on PATH, nor below "
          + "/usr/lib/postgresql"
      }
    return UpFailure(
      "cannot find PostgreSQL: \(reason)",
      help: "install it (on Debian: apt install postgresql), or name the folder of its programs "
        + "with --postgres DIR")
  }

  private static func findUser() throws(UpFailure) -> User {
    let uid = geteuid()
    guard uid == 0 else {
      guard let entry = getpwuid(uid) else {
        throw UpFailure(
          "cannot run PostgreSQL as user \(uid): that user has no name on this machine",
          help: "add the user to /etc/passwd, or run as another one")
      }
      return User(
        name: String(cString: entry.pointee.pw_name), uid: uid, gid: getegid(), become: [])
    }
    guard let entry = getpwnam(userName) else {
      throw UpFailure(
        "cannot run PostgreSQL: it refuses to run as root, and there is no user '\(userName)' to "
          + "run it",
        help: "install it from your distribution, which makes that user, or run as another user")
    }
    let folders: [String] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"]
    guard let setpriv = folders.map({ $0 + "/setpriv" }).first(where: { access($0, X_OK) == 0 })
    else {
      throw UpFailure(
        "cannot run PostgreSQL as user '\(userName)': the program setpriv is not here",
        help: "install util-linux, or run as another user than root")
    }
    let (userID, groupID) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    return User(
      name: userName, uid: userID, gid: groupID,
      become: [setpriv, "--reuid=\(userID)", "--regid=\(groupID)", "--init-groups", "--"])
  }
}
