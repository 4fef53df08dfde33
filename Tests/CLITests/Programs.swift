// The real programs, run as people run them: `wharfd` on a database of the test's own, and `wharf`
// with a home of its own.

import Foundation
import Glibc
import Testing

/// What a program said, and how it ended.
struct Ran: CustomStringConvertible {
  let code: Int32
  let out: String
  let err: String

  var description: String { "exit \(code)\n\(out)\(err.isEmpty ? "" : "stderr: \(err)")" }
}

enum Programs {
  /// Programs are built beside the tests.
  static func path(_ name: String) throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let folder = (own as NSString).deletingLastPathComponent
    let found = [folder, FileManager.default.currentDirectoryPath + "/.build/debug"]
      .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    return try #require(found, "\(name) is not built")
  }

  static func start(
    _ name: String, _ arguments: [String], environment: [String: String], folder: String,
    input: String? = nil
  ) throws -> (Process, out: URL, err: URL) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try path(name))
    process.arguments = arguments
    process.environment = environment
    let id = UUID().uuidString
    let files = ["in", "out", "err"].map { URL(fileURLWithPath: "\(folder)/\(id).\($0)") }
    try Data((input ?? "").utf8).write(to: files[0])
    for file in files[1...] { try Data().write(to: file) }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    return (process, files[1], files[2])
  }

  static func run(
    _ name: String, _ arguments: [String], environment: [String: String], folder: String,
    input: String? = nil
  ) async throws -> Ran {
    let (process, out, err) = try start(
      name, arguments, environment: environment, folder: folder, input: input)
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in done.resume() }
      do { try process.run() } catch {
        process.terminationHandler = nil
        done.resume(throwing: error)
      }
    }
    return Ran(
      code: process.terminationStatus, out: try text(out), err: try text(err))
  }

  static func text(_ file: URL) throws -> String {
    String(decoding: try Data(contentsOf: file), as: UTF8.self)
  }

  /// A port that nothing listens on.
  static func freePort() throws -> UInt16 {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw -> UInt16? in
        guard bind(socket, raw, length) == 0, getsockname(socket, raw, &length) == 0 else {
          return nil
        }
        return nil
      } ?? UInt16(bigEndian: pointer.pointee.sin_port)
    }
    return port
  }

  /// Looks until it is so, or for too long.
  static func until(
    _ what: String, seconds: Double = 20, _ holds: () async throws -> Bool
  ) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !holds() {
      try #require(ContinuousClock.now < deadline, "\(what): not within \(seconds) s")
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
