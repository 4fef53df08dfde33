// Where this program finds and keeps things: environment variables and the user's folders.

import Foundation
import Machine

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
    do { return try Files.read(path, longest: longestBytes) } catch {
      throw Failure(.refused, "\(error)", help: "check whose file it is")
    }
  }

  /// Whole or not at all, and for us alone.
  static func write(_ path: String, _ bytes: [UInt8]) throws(Failure) {
    do throws(FileProblem) {
      try Files.makeFolder(Files.folder(of: path))
      try Files.write(bytes, to: path)
    } catch {
      throw Failure(.refused, "\(error)", help: "check that its folder exists and is yours")
    }
  }
}
