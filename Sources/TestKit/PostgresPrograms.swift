// Finds PostgreSQL's server programs, and runs them as a user that they accept.

import Foundation
import Glibc
import Machine

/// Why a test has no PostgreSQL.
package struct TestClusterError: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

/// PostgreSQL refuses to run as root, so as root we become another user for it.
struct PostgresPrograms: Sendable {
  let folder: String
  let user: SystemUser

  struct SystemUser: Sendable {
    let name: String
    let uid: uid_t
    let gid: gid_t
    /// Whether the programs must be started through setpriv(1).
    let isAnother: Bool
  }

  init() throws(TestClusterError) {
    folder = try Self.findFolder()
    user = try Self.findUser()
  }

  /// The command line that starts one of the programs as the right user.
  func command(_ program: String, _ arguments: [String]) -> [String] {
    let line = ["\(folder)/\(program)"] + arguments
    guard user.isAnother else { return line }
    return ["setpriv", "--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups", "--"] + line
  }

  private static func findFolder() throws(TestClusterError) -> String {
    let versions = "/usr/lib/postgresql"
    let installed = ((try? FileManager.default.contentsOfDirectory(atPath: versions)) ?? [])
      .compactMap { Int($0) }.sorted(by: >).map { "\(versions)/\($0)/bin" }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let onPath = path.split(separator: ":").map(String.init)
    for folder in installed + onPath {
      let programs = ["postgres", "initdb"].map { "\(folder)/\($0)" }
      if programs.allSatisfy(FileManager.default.isExecutableFile(atPath:)) { return folder }
    }
    throw TestClusterError(
      "find PostgreSQL's postgres and initdb: they are neither below \(versions) nor on PATH; "
        + "install the package postgresql")
  }

  private static func findUser() throws(TestClusterError) -> SystemUser {
    guard geteuid() == 0 else {
      let name = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) }
      return SystemUser(
        name: name ?? NSUserName(), uid: geteuid(), gid: getegid(), isAnother: false)
    }
    for name in ["postgres", "nobody"] {
      if let entry = getpwnam(name) {
        return SystemUser(
          name: name, uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid, isAnother: true)
      }
    }
    throw TestClusterError(
      "run PostgreSQL as root: it refuses, and there is no other user to become")
  }
}

/// A child process, without Foundation's, which leaks descriptors.
enum ChildProcess {
  /// Starts a command in `folder` with standard error and output in `log`, in a session of its own.
  static func start(
    _ command: [String], in folder: String, log: String, standardInput: Int32? = nil
  ) throws(TestClusterError) -> pid_t {
    var start = ProgramStart(
      ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", folder] + command, environment: nil,
      output: .file(log))
    if let standardInput { start.input = .descriptor(standardInput) }
    start.hasOwnSession = true
    do { return try start.run() } catch {
      throw TestClusterError("start \(command[0]): \(error.reason)")
    }
  }

  /// Waits for a child; its exit code, or 128 and the signal that ended it.
  @discardableResult
  static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return ProcessHandle.Exit(waitStatus: status).shellCode
  }

  /// nil while it runs.
  static func poll(_ pid: pid_t) -> Int32? {
    var status: Int32 = 0
    return waitpid(pid, &status, WNOHANG) == 0
      ? nil : ProcessHandle.Exit(waitStatus: status).shellCode
  }
}
