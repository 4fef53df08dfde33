// What must hold of every system, however it came to be where it is: the chain verifies, and the views
// are what a fold of the log gives.

import Foundation
import Glibc
import Postgres
import TestKit
import Testing

extension System {
  /// Where this system's wharfd find their database.
  private func databaseURL() throws -> String {
    let wharfd = try #require(pids(of: "wharfd").first, "wharfd does not run")
    let bytes = try #require(FileManager.default.contents(atPath: "/proc/\(wharfd)/environ"))
    let prefix = "WHARF_DATABASE_URL="
    let variable = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      .first { $0.hasPrefix(prefix) }
    return String(try #require(variable).dropFirst(prefix.count))
  }

  private func wharfd(_ arguments: String..., url: String) async throws -> Ran {
    let child = try Child(
      [builtProgram("wharfd")] + arguments,
      environment: folder.environment(["WHARF_DATABASE_URL": url]), folder: folder)
    let status = try await child.waitForExit()
    return Ran(status: status, output: child.output, errors: child.errors)
  }

  func expectTruth(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let url = try databaseURL()
    let verified = try await wharfd("verify", url: url)
    #expect(verified.status == .code(0), "\(verified)", sourceLocation: sourceLocation)
    try expectCauses(at: url, sourceLocation)
    try await Views.expectTheFold(at: url, sourceLocation: sourceLocation) {
      try await wharfd(
        "rebuild", "--secret-file", "\(data)/secrets/cluster.secret", url: url)
    }
  }

  /// What the reconciler decided names the event that it knew last.
  private func expectCauses(at url: String, _ sourceLocation: SourceLocation) throws {
    var connection = try Connection(PostgresConfiguration(url))
    let rows = try connection.query(
      """
      SELECT count(*)::int8, count(*) FILTER (WHERE causation < position)::int8
      FROM log.events WHERE type = 'replicasPlaced'
      """)
    let (all, caused) = (try rows[0].decode(Int.self, at: 0), try rows[0].decode(Int.self, at: 1))
    #expect(all > 0 && caused == all, "\(caused) of \(all)", sourceLocation: sourceLocation)
  }
}

extension Wharfds {
  func expectViewsAreTheFold(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await eventually("the views are at the head") {
      var connection = try database.connect()
      let views = try connection.query("SELECT position FROM views.checkpoint")
      return try views.first?.decode(Int64.self, at: 0) == head()
    }
    try await Views.expectTheFold(at: database.url, sourceLocation: sourceLocation) {
      try await wharfd("rebuild", "--secret-file", folder.path("secret"))
    }
  }
}

private enum Views {
  /// A rebuild is a fold from the first event; what was there before must be the same to the byte.
  static func expectTheFold(
    at url: String, sourceLocation: SourceLocation, rebuild: () async throws -> Ran
  ) async throws {
    let same = try await eventually("the log rests during a rebuild") {
      let before = try tables(url)
      let rebuilt = try await rebuild()
      try #require(rebuilt.status == .code(0), "\(rebuilt)")
      let after = try tables(url)
      return before["checkpoint"] == after["checkpoint"] ? before == after : nil
    }
    #expect(same, sourceLocation: sourceLocation)
  }

  /// Each table of the views as COPY gives it, sorted.
  private static func tables(_ url: String) throws -> [String: [String]] {
    var connection = try Connection(PostgresConfiguration(url))
    let rows = try connection.query(
      "SELECT tablename::text FROM pg_tables WHERE schemaname = 'views'")
    let names = try (0..<rows.count).map { try rows[$0].decode(String.self, at: 0) }
    #expect(names.count > 10)
    var all: [String: [String]] = [:]
    for name in names {
      var lines: [String] = []
      try connection.copyOut("COPY views.\(name) TO STDOUT") { data in
        lines.append(String(decoding: data, as: UTF8.self))
      }
      all[name] = lines.sorted()
    }
    return all
  }
}
