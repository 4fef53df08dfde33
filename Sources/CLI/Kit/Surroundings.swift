// Where this program finds and keeps things: environment variables and the user's folders.

import Foundation

struct Surroundings: Sendable {
  let environment: [String: String]

  static let process = Surroundings(environment: ProcessInfo.processInfo.environment)

  subscript(name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  private var home: String { self["HOME"] ?? "/" }

  private func folder(_ variable: String, _ standard: String) -> String {
    self[variable] ?? "\(home)/\(standard)"
  }

  /// Who we are to which API: mode 0600.
  var credentialsFile: String {
    folder("XDG_CONFIG_HOME", ".config") + "/wharf/credentials.json"
  }

  /// The heads last seen, by API.
  var headsFile: String { folder("XDG_STATE_HOME", ".local/state") + "/wharf/heads.json" }
}

/// Small files that are ours alone.
enum PrivateFile {
  /// At most this much is read.
  static let longestBytes = 1 << 20

  /// None if there is no such file.
  static func read(_ path: String) throws(Failure) -> [UInt8]? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    guard let file = FileHandle(forReadingAtPath: path),
      let data = try? file.read(upToCount: longestBytes)
    else {
      throw Failure(
        .refused, "cannot read \(path): \(String(cString: strerror(errno)))",
        help: "check whose file it is")
    }
    return Array(data)
  }

  /// Written whole under another name with mode 0600, then moved in place.
  static func write(_ path: String, _ bytes: [UInt8]) throws(Failure) {
    let folder = (path as NSString).deletingLastPathComponent
    try? FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure("write", temporary) }
    let count = Glibc.write(file, bytes, bytes.count)
    let synced = fsync(file)
    close(file)
    guard count == bytes.count, synced == 0, rename(temporary, path) == 0 else {
      let problem = failure("write", path)
      unlink(temporary)
      throw problem
    }
  }

  private static func failure(_ attempt: String, _ path: String) -> Failure {
    Failure(
      .refused, "cannot \(attempt) \(path): \(String(cString: strerror(errno)))",
      help: "check that its folder exists and is yours")
  }
}
