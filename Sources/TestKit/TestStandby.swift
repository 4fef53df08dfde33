// A cluster that follows another: its standby, which commits may have to wait for, and which may be promoted.

import Foundation
import Postgres

extension TestCluster {
  /// A copy of this cluster that follows it over its socket.
  ///
  /// - Parameter name: for `synchronous_standby_names`.
  package func standby(named name: String) async throws -> TestCluster {
    let standby = try TestCluster(settings)
    try await standby.follow(folder, as: name)
    return standby
  }

  private func follow(_ primary: String, as name: String) throws {
    let copying = programs.command(
      "pg_basebackup",
      [
        "-D", dataFolder, "-h", primary, "-U", "postgres", "-X", "stream", "-c", "fast",
        "--no-sync",
      ])
    let status = ChildProcess.wait(try ChildProcess.start(copying, in: folder, log: logFile))
    guard status == 0 else {
      throw TestClusterError("pg_basebackup ended with \(status): \(logTail)")
    }
    try write("", to: "standby.signal")
    settings.parameters["primary_conninfo"] =
      "host=\(primary) user=postgres application_name=\(name)"
    try start()
  }

  /// From here on it is a primary, with a timeline of its own. It waits for nobody.
  package func promote() throws {
    settings.parameters["synchronous_standby_names"] = nil
    try administer("ALTER SYSTEM RESET synchronous_standby_names")
    try administer("SELECT pg_reload_conf()")
    try administer("SELECT pg_promote(true, 30)")
  }

  /// Commits wait for a standby of this name from here on, whether there is one or not; nil for nobody.
  package func waitForStandby(_ name: String?) throws {
    try administer(
      name.map { "ALTER SYSTEM SET synchronous_standby_names = '\($0)'" }
        ?? "ALTER SYSTEM RESET synchronous_standby_names")
    try administer("SELECT pg_reload_conf()")
  }

  /// Whether commits wait for somebody who is there.
  package func hasSynchronousStandby() throws -> Bool {
    var connection = try Connection(configuration(database: "postgres"))
    return try connection.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'").count
      > 0
  }
}
