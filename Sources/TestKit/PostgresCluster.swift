// A PostgreSQL of one's own: real, private to the test process, and gone when that is.

import Foundation
import Glibc
import Machine
import Postgres
import TestTools

/// A private cluster. It listens on a socket in a folder that only its user (and root) can enter, and
/// on no port.
///
/// Isolated to a lane, since starting, stopping and creating databases block.
package actor TestCluster {
  package struct Settings: Sendable {
    /// Whether commits survive the machine; they survive `killPostmaster` either way.
    package var fsync = false
    package var maximumConnections = 200
    /// More of postgresql.conf, such as `["wal_level": "logical"]`.
    package var parameters: [String: String] = [:]

    package init(fsync: Bool = false, parameters: [String: String] = [:]) {
      self.fsync = fsync
      self.parameters = parameters
    }
  }

  package enum StopMode: String, Sendable {
    /// Waits for clients, ends them, or crashes: PostgreSQL's SIGTERM, SIGINT and SIGQUIT.
    case smart, fast, immediate

    var signal: Int32 {
      switch self {
      case .smart: SIGTERM
      case .fast: SIGINT
      case .immediate: SIGQUIT
      }
    }
  }

  // As a calm machine counts them.
  static let startTimeoutSeconds = 60.0
  static let stopTimeoutSeconds = 60.0
  static let administrationTimeoutSeconds = 120.0

  /// Holds data, socket and log.
  package nonisolated let folder: String
  private nonisolated let lane: Lane
  let programs: PostgresPrograms
  var settings: Settings
  private let watcher: ClusterWatcher
  private var postmaster: pid_t?
  private var administration: Connection?
  private var databases = 0
  private var templates: [String: Task<String, any Error>] = [:]

  package nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  private static let sharedStart = Task { try await TestCluster.dedicated() }

  /// The cluster of this process, started when first asked for. Never kill this one.
  package static func shared() async throws -> TestCluster { try await sharedStart.value }

  /// A cluster for one test, which may do to it what it likes. `remove` it afterwards.
  package static func dedicated(settings: Settings = Settings()) async throws -> TestCluster {
    let cluster = try TestCluster(settings)
    try await cluster.create()
    return cluster
  }

  init(_ settings: Settings) throws {
    programs = try PostgresPrograms()
    lane = try Lane(name: "test-cluster")
    self.settings = settings
    // Not TMPDIR: a socket's path ends at 107 bytes, and its user must be able to enter.
    var template = Array("/tmp/wharf-pg-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw TestClusterError("make a folder in /tmp: \(String(cString: strerror(errno)))")
    }
    folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    chown(folder, programs.user.uid, programs.user.gid)
    watcher = try ClusterWatcher(folder: folder)
  }

  /// A connection string for a database of this cluster, as its superuser.
  package nonisolated func url(database: String) -> String {
    "postgres:///\(database)?host=\(folder)&user=postgres"
  }

  package nonisolated func configuration(database: String) throws -> PostgresConfiguration {
    try PostgresConfiguration(url(database: database))
  }

  /// Ends the server and removes its files.
  package func remove() {
    if postmaster != nil { try? stop(.immediate) }
    watcher.finish()
  }

  /// One that a failed test left is no burden to the others.
  deinit { watcher.letGo() }
}

// Starting and stopping.
extension TestCluster {
  package var postmasterPID: Int32? { postmaster }

  var dataFolder: String { "\(folder)/data" }
  nonisolated var logFile: String { "\(folder)/log" }

  private func create() throws {
    let initdb = programs.command(
      "initdb",
      [
        "-D", dataFolder, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync",
        "--auth-local=peer",
      ])
    let status = ChildProcess.wait(try ChildProcess.start(initdb, in: folder, log: logFile))
    guard status == 0 else { throw TestClusterError("initdb ended with \(status): \(logTail)") }
    // A caller that can enter the folder is asked who they are. One role is for tests of passwords.
    try write(
      "local all password_only scram-sha-256\nlocal all,replication all peer map=test\n",
      to: "pg_hba.conf")
    let callers = Set([programs.user.name, "root", NSUserName()]).sorted()
    try write(callers.map { "test \($0) postgres\n" }.joined(), to: "pg_ident.conf")
    try start()
  }

  func write(_ text: String, to file: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(dataFolder)/\(file)"))
  }

  private var serverArguments: [String] {
    var parameters = [
      "listen_addresses": "", "unix_socket_directories": folder,
      "fsync": settings.fsync ? "on" : "off", "full_page_writes": settings.fsync ? "on" : "off",
      "max_connections": "\(settings.maximumConnections)", "shared_buffers": "64MB",
    ]
    parameters.merge(settings.parameters) { $1 }
    return ["-D", dataFolder]
      + parameters.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
  }

  /// Starts the server and waits until it takes connections.
  package func start() throws {
    precondition(postmaster == nil, "the cluster runs already")
    let watch = Stopwatch()
    let command = programs.command("postgres", serverArguments)
    while watch.seconds < Self.startTimeoutSeconds {
      let pid = try ChildProcess.start(command, in: folder, log: logFile)
      while ChildProcess.poll(pid) == nil {
        if answers() {
          postmaster = pid
          return
        }
        guard watch.seconds < Self.startTimeoutSeconds else {
          kill(pid, SIGKILL)
          ChildProcess.wait(pid)
          break
        }
        usleep(20_000)
      }
      // Backends of a killed predecessor may still hold its memory: they leave soon.
      usleep(50_000)
    }
    throw TestClusterError("start PostgreSQL within its time: \(logTail)")
  }

  private func answers() -> Bool {
    guard let configuration = try? configuration(database: "postgres"),
      let connection = try? Connection(configuration, timeout: Pace.stretched(2))
    else { return false }
    return !connection.isBroken
  }

  package func stop(_ mode: StopMode = .fast) throws {
    guard let pid = postmaster else { return }
    postmaster = nil
    kill(pid, mode.signal)
    let watch = Stopwatch()
    while ChildProcess.poll(pid) == nil {
      guard watch.seconds < Self.stopTimeoutSeconds else {
        kill(pid, SIGKILL)
        ChildProcess.wait(pid)
        throw TestClusterError("stop PostgreSQL (\(mode)) within its time; it was killed")
      }
      usleep(5_000)
    }
  }

  /// `kill -9`: no goodbye, no checkpoint. Its backends notice by themselves, and soon.
  package func killPostmaster() {
    guard let pid = postmaster else { return }
    postmaster = nil
    kill(pid, SIGKILL)
    ChildProcess.wait(pid)
  }

  /// Stops the server if it runs, and starts it again on the same files.
  package func restart(_ mode: StopMode = .fast) throws {
    try stop(mode)
    try start()
  }

  nonisolated var logTail: String {
    let log = (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "(no log)"
    return log.split(separator: "\n").suffix(20).joined(separator: "\n")
  }
}

// Its processes.
extension TestCluster {
  /// The processes that serve clients of a database, without the one that asks.
  package func backendPIDs(database: String) throws -> [Int32] {
    var connection = try Connection(configuration(database: "postgres"))
    let rows = try connection.query(
      """
      SELECT pid FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND datname = \(database) AND pid <> pg_backend_pid()
      ORDER BY pid
      """)
    return try rows.map { row in try row.decode(Int32.self, at: 0) }
  }

  /// Sends a signal to a process of this cluster: SIGSTOP and SIGCONT stall and release a backend.
  package nonisolated func signalBackend(_ pid: Int32, _ signal: Int32) throws {
    guard ProcessTable.workingFolder(of: pid) == "\(folder)/data" else {
      throw TestClusterError("signal \(pid): it is no process of this cluster")
    }
    kill(pid, signal)
  }

  package nonisolated func pause(_ pid: Int32) throws { try signalBackend(pid, SIGSTOP) }
  package nonisolated func resume(_ pid: Int32) throws { try signalBackend(pid, SIGCONT) }
}

// Its databases.
extension TestCluster {
  /// A database that did not exist before, copied from the template.
  package func makeDatabase(template: DatabaseTemplate? = nil) async throws -> TestDatabase {
    var source = "template0"
    if let template { source = try await prepared(template) }
    databases += 1
    let name = "test_\(databases)"
    try createDatabase(name, from: source)
    return TestDatabase(name: name, cluster: self)
  }

  package func drop(_ database: TestDatabase) throws {
    try administer(
      "DROP DATABASE IF EXISTS \(Query.quoted(identifier: database.name)) WITH (FORCE)")
  }

  func allowConnections(_ allowed: Bool, to database: TestDatabase) throws {
    let name = Query.quoted(identifier: database.name)
    try administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS \(allowed)")
  }

  private func createDatabase(_ name: String, from source: String) throws {
    // Without fsync, copying files is cheaper than writing them to the log as well.
    try administer(
      "CREATE DATABASE \(Query.quoted(identifier: name)) "
        + "TEMPLATE \(Query.quoted(identifier: source)) STRATEGY FILE_COPY")
  }

  /// Runs a statement on a connection that is kept, since most tests come here twice.
  func administer(_ sql: String) throws {
    if administration == nil || !administration!.isUsable() {
      administration = try Connection(configuration(database: "postgres"))
    }
    try administration!.script(sql, timeout: Pace.stretched(Self.administrationTimeoutSeconds))
  }

  /// Fills a template once, however many tests ask for it at the same time.
  private func prepared(_ template: DatabaseTemplate) async throws -> String {
    if let task = templates[template.name] { return try await task.value }
    let name = "template_\(template.name)"
    let task = Task {
      try createDatabase(name, from: "template0")
      try await template.prepare(TestDatabase(name: name, cluster: self))
      return name
    }
    templates[template.name] = task
    return try await task.value
  }
}
