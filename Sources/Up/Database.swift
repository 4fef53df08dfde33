// The private PostgreSQL of a system: made once, then run on a socket only. Whoever connects is
// asked the kernel who they are, and an ident map says which role that may be.

import Glibc
import Machine

struct Database: Sendable {
  /// Of the socket's name only: it listens to no network.
  static let port = 5432
  static let name = "wharf"
  private static let role = "wharf"
  private static let superuser = "postgres"
  private static let createLimitSeconds = 300

  let layout: Layout
  let programs: PostgresPrograms
  let socketFolder: String

  init(layout: Layout, programs: PostgresPrograms) {
    self.layout = layout
    self.programs = programs
    socketFolder = SocketFolder.path(layout)
  }

  /// For libpq: in wharfd's environment, and for people.
  var url: String { Self.url(socketFolder) }

  static func url(_ socketFolder: String) -> String {
    "postgres:///\(name)?host=\(socketFolder)&port=\(port)&user=\(role)"
  }

  /// The version that made the files; none when there are none yet.
  static func version(_ layout: Layout) -> Int? {
    Files.text("\(layout.postgres)/PG_VERSION")?
      .split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }

  // MARK: - Making it

  /// Makes the files under another name, and gives them theirs when all is done: killed before
  /// that, the next try begins anew.
  func create(_ launcher: Launcher) async throws(UpFailure) {
    let folder = layout.newPostgres
    try remove(folder)
    try Files.prepareFolder(folder)
    guard programs.user.become.isEmpty || chown(folder, programs.user.uid, programs.user.gid) == 0
    else { throw Files.failure("give to user \(programs.user.name) the folder", folder) }
    try await runToEnd(
      launcher,
      [
        programs.program("initdb"), "--no-sync", "-D", folder, "-U", Self.superuser, "-E", "UTF8",
        "--locale=C", "--data-checksums",
        "--auth-local=peer", "--auth-host=reject",
      ])
    try configureAccess(folder)
    let statements = "\(layout.run)/database.sql"
    try Files.replace(
      statements,
      Array(
        """
        CREATE ROLE \(Self.role) LOGIN;

        CREATE DATABASE \(Self.name) OWNER \(Self.role) TEMPLATE template0 ENCODING 'UTF8';


        """.utf8))
    defer { unlink(statements) }
    try await runToEnd(
      launcher, [programs.program("postgres"), "--single", "-j", "-D", folder, Self.superuser],
      input: statements)
    try await makeDurable(folder, launcher)
    do { try Files.move(folder, to: layout.postgres) } catch { throw UpFailure(error) }
  }

  /// All at once, which takes a tenth of the time that initdb takes to do it file by file.
  private func makeDurable(_ folder: String, _ launcher: Launcher) async throws(UpFailure) {
    do {
      try await runToEnd(launcher, ["sync", "-f", folder])
    } catch {
      if Task.isCancelled { throw error }
      try await runToEnd(launcher, [programs.program("initdb"), "--sync-only", "-D", folder])
    }
  }

  private func configureAccess(_ folder: String) throws(UpFailure) {
    let callers = Set([
      programs.user.name, getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) },
    ])
    .compactMap { $0 }.sorted()
    try overwrite("\(folder)/pg_hba.conf", "local all all peer map=wharf\n")
    let roles = [Self.superuser, Self.role]
    let lines = callers.flatMap { caller in roles.map { "wharf \"\(caller)\" \($0)\n" } }
    try overwrite("\(folder)/pg_ident.conf", lines.joined())
  }

  private func overwrite(_ path: String, _ text: String) throws(UpFailure) {
    do { try Files.overwrite(path, with: Array(text.utf8)) } catch { throw UpFailure(error) }
  }

  private func remove(_ folder: String) throws(UpFailure) {
    guard Files.exists(folder) else { return }
    let said = ShortCommand.run(["rm", "-rf", "--", folder], environment: Environment.own)
    guard said?.code == 0 else {
      throw UpFailure(
        "cannot remove what an earlier start left at \(folder): \(said?.output ?? "")")
    }
  }

  /// Runs one of the steps and shows the end of its log when it fails.
  private func runToEnd(
    _ launcher: Launcher, _ line: [String], input: String = "/dev/null"
  ) async throws(UpFailure) {
    let log = layout.log(Part.initdb)
    unlink(log)
    let command = Command(
      line: programs.user.become + line,
      environment: Environment.forPostgres(layout), folder: "/")
    let process = try launcher.start(Part.initdb, command, input: input)
    guard await process.isOver(within: .seconds(Self.createLimitSeconds)) else {
      // Cancelled: whoever comes next finds it by its record, and ends it.
      if Task.isCancelled { throw UpFailure("the start was called off") }
      kill(-process.record.pid, SIGKILL)
      throw UpFailure(
        "cannot make the database: \(line[0]) was not done within \(Self.createLimitSeconds) s",
        help: "see \(log)", code: .timedOut)
    }
    let ending = await process.ended() ?? .unknown
    let said = Files.tail(log)
    // In single-user mode a failed statement is only said.
    let failed = said.contains { $0.contains("ERROR:") || $0.contains("FATAL:") }
    guard ending == .exited(0), !failed else {
      throw UpFailure(
        "cannot make the database: \(line[0]) \(ending)\n    "
          + said.joined(separator: "\n    "), help: "all of it: \(log)")
    }
    unlink(layout.record(Part.initdb))
  }

  // MARK: - Running it

  var part: Part {
    let settings = [
      "listen_addresses": "", "unix_socket_directories": socketFolder, "port": "\(Self.port)",
      "unix_socket_permissions": "0700", "fsync": "on", "full_page_writes": "on",
      "max_connections": "50", "shared_buffers": "64MB", "max_wal_size": "512MB",
      "cluster_name": "wharf", "logging_collector": "off", "log_destination": "stderr",
      "log_checkpoints": "off", "log_timezone": "UTC", "log_line_prefix": "%m [%p] ",
    ]
    let command = Command(
      line: programs.user.become + [programs.program("postgres"), "-D", layout.postgres]
        + settings.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] },
      environment: Environment.forPostgres(layout), folder: layout.postgres)
    let layout = layout
    return Part(
      name: Part.postgres, title: "PostgreSQL \(programs.version)", command: command,
      readyLimitSeconds: 3_600, firstStarts: 8
    ) { process in
      Self.readiness(layout, pid: process.record.pid)
    }
  }

  /// As pg_ctl(1) asks: the server writes how far it is into the last line of its own record.
  private static func readiness(_ layout: Layout, pid: pid_t) -> Part.Readiness {
    let lines = (Files.text("\(layout.postgres)/postmaster.pid") ?? "")
      .split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count > 7, lines[0] == "\(pid)" else { return .notYet(nil) }
    if lines[7].hasPrefix("ready") { return .ready }
    return .notYet("it is going through its log after a crash")
  }
}
