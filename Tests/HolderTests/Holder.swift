// The holder under test and what it records.

import Foundation
import Glibc
import TestKit

/// The state file as its readers know it.
struct HolderState: Decodable, Equatable {
  struct Status: Decodable, Equatable {
    var code: Int32?
    var signal: Int32?
  }

  var phase: String
  var holderPid: pid_t
  var holderStartTime: UInt64
  var bootId: String
  var pid: pid_t?
  var startTime: UInt64?
  var startedAtMicroseconds: Int64
  var exitStatus: Status?
  var exitedAtMicroseconds: Int64?
  var error: String?
  var errno: Int32?
}

/// A holder in a folder of its own: `state`, `log` and `log.1`.
struct Holder {
  let folder: TestFolder
  let process: Child

  /// - Parameter prelude: shell text run first, in the process that becomes the holder.
  init(
    _ engine: [String], options: [String] = [], in folder: TestFolder, prelude: String? = nil,
    statePath: String? = nil, leakedDescriptor: Int32? = nil
  ) throws {
    self.folder = folder
    let line = Self.line(engine, options: options, in: folder, statePath: statePath)
    let arguments = prelude.map { ["/bin/sh", "-c", "\($0); exec \"$@\"", "sh"] + line } ?? line
    process = try Child(
      arguments, environment: folder.environment(["STATE": folder.path("state")]), folder: folder,
      leakedDescriptor: leakedDescriptor)
  }

  static func line(
    _ engine: [String], options: [String] = [], in folder: TestFolder, statePath: String? = nil
  ) -> [String] {
    [builtProgram("wharf-holder"), "--state", statePath ?? folder.path("state")]
      + ["--log", folder.path("log")] + options + ["--"] + engine
  }

  /// The state now, nil before the first was written.
  var state: HolderState? {
    get throws { try Self.state(at: folder.path("state")) }
  }

  static func state(at path: String) throws -> HolderState? {
    guard let bytes = FileManager.default.contents(atPath: path) else { return nil }
    return try JSONDecoder().decode(HolderState.self, from: bytes)
  }

  /// Waits until the engine's program said `text`.
  func waitForOutput(_ text: String) async throws {
    try await eventually("the engine says '\(text)'") { folder.text("log")?.contains(text) == true }
  }

  /// Waits until the holder ended, and returns the last state.
  func finalState() async throws -> HolderState? {
    try await process.waitForExit()
    return try state
  }
}

func shell(_ text: String) -> [String] { ["/bin/sh", "-c", text] }
