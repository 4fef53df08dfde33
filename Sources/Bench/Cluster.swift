// The PostgreSQL that all arms run on: a private one with fsync on, made for the run, or one that the
// caller names.

import Glibc
import Machine
import Postgres

package final class Cluster: Sendable {
  /// Of a private cluster's socket, whatever PGPORT says.
  static let port = 5_432
  private static let startTimeoutSeconds = 60
  private static let stopTimeoutSeconds = 20
  private static let initdbTimeoutSeconds = 120
  /// How long a backend whose client is gone may take to go as well.
  private static let leaveTimeoutSeconds = 30
  /// pg_test_fsync's first section, one 8 kB write, is over by then.
  private static let fsyncTestSeconds = 8

  private struct Own: Sendable {
    let folder: String
    let postmaster: ChildProcess
    let programs: PostgresPrograms
  }

  private let server: PostgresConfiguration
  private let own: Own?

  private init(server: PostgresConfiguration, own: Own?) {
    self.server = server
    self.own = own
  }

  /// A cluster that is there; the run makes and drops databases of its own in it.
  package static func existing(_ url: String) throws -> Cluster {
    Cluster(server: try PostgresConfiguration(url), own: nil)
  }

  /// A cluster of the run's own; `remove` it.
  package static func made(fsync: Bool = true) throws -> Cluster {
    let programs = try PostgresPrograms()
    // Not TMPDIR: a socket's path ends at 107 bytes, and the server's user must be able to enter.
    var template = Array("/tmp/wharf-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw BenchFailure("cannot make a folder in /tmp: \(String(cString: strerror(errno)))")
    }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    chown(folder, programs.user.uid, programs.user.gid)
    do {
      return try start(programs, folder, fsync: fsync)
    } catch {
      remove(folder)
      throw error
    }
  }

  private static func start(
    _ programs: PostgresPrograms, _ folder: String, fsync: Bool
  ) throws -> Cluster {
    let log = "\(folder)/log"
    let initdb = programs.command(
      "initdb",
      [
        "-D", "\(folder)/data", "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth-local=peer",
      ])
    guard
      try ChildProcess.run(
        initdb, in: folder, log: log, withinSeconds: initdbTimeoutSeconds) == 0
    else { throw BenchFailure("initdb failed: \(TextFile.tail(log))") }
    try TextFile.write("local all all peer map=bench\n", to: "\(folder)/data/pg_hba.conf")
    let callers = Set([programs.user.name, programs.caller, "root"]).sorted()
    try TextFile.write(
      callers.map { "bench \($0) postgres\n" }.joined(), to: "\(folder)/data/pg_ident.conf")
    let parameters = [
      "listen_addresses=", "port=\(port)", "unix_socket_directories=\(folder)",
      "fsync=\(fsync ? "on" : "off")",
      "synchronous_commit=on", "shared_buffers=256MB", "max_wal_size=4GB", "max_connections=100",
    ]
    let arguments = ["-D", "\(folder)/data"] + parameters.flatMap { ["-c", $0] }
    let postmaster = try ChildProcess.start(
      programs.command("postgres", arguments), in: folder, log: log)
    let server = try PostgresConfiguration(
      "postgres:///postgres?host=\(folder)&port=\(port)&user=postgres")
    let deadline = ContinuousClock.now + .seconds(startTimeoutSeconds)
    while ContinuousClock.now < deadline, postmaster.poll() == nil {
      if (try? Connection(server, timeout: .seconds(2))) != nil {
        return Cluster(
          server: server, own: Own(folder: folder, postmaster: postmaster, programs: programs))
      }
      usleep(20_000)
    }
    postmaster.end(with: SIGQUIT, withinSeconds: stopTimeoutSeconds)
    throw BenchFailure("PostgreSQL did not start: \(TextFile.tail(log))")
  }

  private static func remove(_ folder: String) {
    _ = try? ChildProcess.run(
      ["rm", "-rf", folder], in: "/", log: "/dev/null", withinSeconds: 60)
  }

  /// Ends a cluster of the run's own, and its files.
  package func remove() {
    guard let own else { return }
    own.postmaster.end(with: SIGQUIT, withinSeconds: Self.stopTimeoutSeconds)
    Self.remove(own.folder)
  }

  /// A folder for what a run writes beside the database; none where the cluster is not ours.
  package var folder: String? { own?.folder }
}

// Its databases.
extension Cluster {
  package func configuration(_ database: String) -> PostgresConfiguration {
    var configuration = server
    configuration.database = database
    configuration.applicationName = "wharf-bench"
    // A copy of a large template or a check of a long log takes its time.
    configuration.statementTimeout = .seconds(600)
    return configuration
  }

  /// The URL of a database, for programs; private clusters only.
  package func url(_ database: String) throws -> String {
    guard let own else {
      throw BenchFailure("programs are started on a private cluster only: leave --postgres out")
    }
    return "postgres:///\(database)?host=\(own.folder)&port=\(Self.port)&user=postgres"
  }

  package func create(_ database: String, from template: String = "template1") throws {
    try drop(database)
    let deadline = ContinuousClock.now + .seconds(Self.leaveTimeoutSeconds)
    while true {
      do {
        return try administer(
          "CREATE DATABASE \(Query.quoted(identifier: database)) "
            + "TEMPLATE \(Query.quoted(identifier: template))")
      } catch let error as PostgresError
        where error.sqlState == "55006" && ContinuousClock.now < deadline
      {
        // Whoever used the template has gone, and its backend is about to.
        usleep(20_000)
      }
    }
  }

  package func drop(_ database: String) throws {
    try administer("DROP DATABASE IF EXISTS \(Query.quoted(identifier: database)) WITH (FORCE)")
  }

  /// So that no arm pays for the pages that the one before it left dirty.
  package func checkpoint() throws { try administer("CHECKPOINT") }

  private func administer(_ sql: String) throws {
    var connection = try Connection(server, timeout: .seconds(10))
    try connection.script(sql, timeout: .seconds(600))
  }
}

// What stands beside every figure.
extension Cluster {
  /// The server's version, and how durable what it commits is.
  package func settings() throws -> [(name: String, value: String)] {
    let names = [
      "server_version", "fsync", "synchronous_commit", "wal_sync_method", "full_page_writes",
      "shared_buffers", "max_wal_size",
    ]
    var connection = try Connection(server, timeout: .seconds(10))
    return try names.map { name in
      let rows = try connection.query("SELECT current_setting(\(name))")
      return (name, try rows[0].decode(String.self, at: 0))
    }
  }

  /// pg_test_fsync's lines about one 8 kB write, on the disk of a private cluster.
  package func fsyncTest() throws -> [String] {
    guard let own else { return ["pg_test_fsync: not run, since the cluster is not the run's own"] }
    let log = "\(own.folder)/fsync.log"
    _ = try ChildProcess.run(
      own.programs.command("pg_test_fsync", ["-s", "1", "-f", "\(own.folder)/fsync.test"]),
      in: own.folder, log: log, withinSeconds: Self.fsyncTestSeconds)
    unlink("\(own.folder)/fsync.test")
    let lines = (Files.text(log) ?? "").split(separator: "\n").map(String.init)
    guard let start = lines.firstIndex(where: { $0.contains("one 8kB write") }) else {
      return ["pg_test_fsync: no result"]
    }
    return ["pg_test_fsync, one 8 kB write:"]
      + lines[(start + 1)...].prefix { !$0.hasPrefix("Compare") }.filter { $0.contains("ops/sec") }
  }
}
