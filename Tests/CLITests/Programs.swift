// The real programs, run as people run them: `wharfd` on a database of the test's own, and `wharf`
// with a home of its own.

import Foundation
import Glibc
import TestKit
import Testing

/// What a program said, and how it ended.
struct Ran: CustomStringConvertible {
  let code: Int32
  let out: String
  let err: String

  var description: String { "exit \(code)\n\(out)\(err.isEmpty ? "" : "stderr: \(err)")" }
}

enum Programs {
  /// Longer than any command may wait, and than wharfd takes to import or verify what tests give it.
  private static let limitSeconds = 120.0

  static func start(
    _ name: String, _ arguments: [String], environment: [String: String], folder: String,
    input: String = ""
  ) throws -> Child {
    try Child(
      [builtProgram(name)] + arguments, environment: environment, folder: folder, input: input)
  }

  static func run(
    _ name: String, _ arguments: [String], environment: [String: String], folder: String,
    input: String = ""
  ) async throws -> Ran {
    let child = try start(
      name, arguments, environment: environment, folder: folder, input: input)
    let status: TestKit.ExitStatus
    do { status = try await child.waitForExit(withinSeconds: limitSeconds) } catch {
      throw TestFailure(
        "\(name) \(arguments.joined(separator: " ")): \(error)\n\(child.output)\(child.errors)")
    }
    let code =
      switch status {
      case .code(let code): code
      case .signal(let signal): 128 + signal
      }
    return Ran(code: code, out: child.output, err: child.errors)
  }

  static func text(_ file: URL) throws -> String {
    String(decoding: try Data(contentsOf: file), as: UTF8.self)
  }

  /// A port that nothing listens on.
  static func freePort() throws -> UInt16 { UInt16(try Ports.one()) }

  /// Looks until it is so, or for too long.
  static func until(
    _ what: @autoclosure () -> String, seconds: Double = Pace.patienceSeconds,
    _ holds: () async throws -> Bool
  ) async throws {
    try await eventually(what(), withinSeconds: seconds, isTrue: holds)
  }
}
