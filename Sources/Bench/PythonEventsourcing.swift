// A peer: the library `eventsourcing` for Python, on its default path: an aggregate whose change is
// triggered and saved, one transaction each, into its own table of the same cluster.

import Glibc
import Hosting
import Machine
import Postgres

struct PythonEventsourcing: Arm {
  static let database = "wharf_bench_eventsourcing"
  /// The library, and its driver in C: the one in Python alone would measure Python.
  static let requirements = ["eventsourcing[postgres]==9.5.6", "psycopg[binary]==3.3.9"]
  private static let installTimeoutSeconds = 300
  private static let versionTimeoutSeconds = 30
  private static let graceSeconds = 60

  let name = "eventsourcing"
  /// Of all that takes part.
  let version: String
  let cluster: Cluster
  let python: String
  let seconds: Double

  /// - Parameter python: an interpreter that has the library; nil makes a virtual environment for it
  ///   in the private cluster's folder.
  /// - Returns: none, with the reason told, where it cannot be had.
  static func prepare(
    python: String?, _ cluster: Cluster, seconds: Double, tell: (String) -> Void
  ) throws -> PythonEventsourcing? {
    guard let folder = cluster.folder else {
      tell("eventsourcing is left out: it is run on a private cluster only")
      return nil
    }
    let interpreter: String
    if let python {
      interpreter = absolute(python)
    } else {
      let (log, environment) = ("\(folder)/venv.log", "\(folder)/venv")
      let install = ["\(environment)/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
      for command in [["python3", "-m", "venv", environment], install + requirements] {
        let code = try ChildProcess.run(
          command, in: folder, log: log, withinSeconds: installTimeoutSeconds)
        guard code == 0 else {
          tell("eventsourcing is left out: cannot install it: \(TextFile.tail(log))")
          return nil
        }
      }
      interpreter = "\(environment)/bin/python"
    }
    let log = "\(folder)/eventsourcing.version"
    unlink(log)
    guard
      try ChildProcess.run(
        [interpreter, "-c", versionScript], in: folder, log: log,
        withinSeconds: versionTimeoutSeconds) == 0
    else {
      tell("eventsourcing is left out: \(interpreter) does not have it: \(TextFile.tail(log))")
      return nil
    }
    try TextFile.write(script, to: "\(folder)/eventsourcing_bench.py")
    return PythonEventsourcing(
      version: TextFile.tail(log), cluster: cluster, python: interpreter, seconds: seconds)
  }

  /// It is started in another folder. Links stay: a virtual environment is found by them.
  private static func absolute(_ program: String) -> String {
    guard program.contains("/"), !program.hasPrefix("/") else { return program }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard let folder = getcwd(&buffer, buffer.count) else { return program }
    return "\(String(cString: folder))/\(program)"
  }

  func run() async throws -> Sample {
    let (cluster, python, seconds) = (cluster, python, seconds)
    return try await onThread(name) { try Self.measure(cluster, python, seconds) }
  }

  private static func measure(
    _ cluster: Cluster, _ python: String, _ seconds: Double
  ) throws -> Sample {
    guard let folder = cluster.folder else { throw BenchFailure("the cluster is not ours") }
    try cluster.create(database)
    try cluster.checkpoint()
    let out = "\(folder)/eventsourcing.out"
    unlink(out)
    let environment = [
      "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": database,
      "POSTGRES_HOST": folder, "POSTGRES_PORT": "\(Cluster.port)", "POSTGRES_USER": "postgres",
      "POSTGRES_PASSWORD": "none", "BENCH_SECONDS": "\(seconds)",
    ]
    let code = try ChildProcess.run(
      [python, "\(folder)/eventsourcing_bench.py"], in: folder, log: out, environment: environment,
      withinSeconds: Int(seconds) + graceSeconds)
    // Whatever else the library may say.
    let numbers = (Files.text(out) ?? "").split(separator: "\n")
      .first { $0.hasPrefix("measured ") }?
      .split(separator: " ").dropFirst().compactMap { Double($0) }
    guard code == 0, let numbers, numbers.count > 1 else {
      throw BenchFailure("eventsourcing failed: \(TextFile.tail(out))")
    }
    let saved = numbers.count - 1
    try check(cluster.configuration(database), saved: saved)
    return Sample(
      events: saved, seconds: numbers[0], latencies: numbers.dropFirst().map { Int64($0) })
  }

  /// One created event and one for each change, in the order in which they were saved.
  static func check(_ configuration: PostgresConfiguration, saved: Int) throws {
    var connection = try Connection(configuration)
    let rows = try connection.query(
      """
      SELECT count(*), count(*) FILTER (WHERE originator_version <> place)
      FROM (SELECT originator_version, row_number() OVER (ORDER BY notification_id) AS place
        FROM bench_events) AS ordered
      """)
    let (count, misplaced) = (
      try rows[0].decode(Int64.self, at: 0), try rows[0].decode(Int64.self, at: 1)
    )
    guard count == Int64(saved) + 1, misplaced == 0 else {
      throw VoidedArm([
        "\(count) events for \(saved) saves and a creation, \(misplaced) out of order"
      ])
    }
  }

  private static let script = """
    # Saves changes of one aggregate for some seconds; prints the seconds, then each save's nanoseconds.
    import os
    import time
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Agreement(Aggregate):
        @event("Amended")
        def amend(self, scope, audiences, since, until, notice_days, reason):
            self.scope, self.audiences = scope, audiences
            self.since, self.until, self.notice_days = since, until, notice_days

    class Bench(Application):
        name = "bench"

    bench = Bench()
    agreement = Agreement()
    bench.save(agreement)
    times = []
    length = float(os.environ["BENCH_SECONDS"])
    start = time.perf_counter_ns()
    while time.perf_counter_ns() - start < length * 1e9:
        before = time.perf_counter_ns()
        agreement.amend(
            scope=["evaluation", "fineTuning", "inference", "training"],
            audiences=["external", "internal"], since="2025-05-01T00:00:00.000000Z",
            until="2035-05-01T00:00:00.000000Z", notice_days=len(times),
            reason="agreed by mail after the quarterly review with the provider, see the file")
        bench.save(agreement)
        times.append(time.perf_counter_ns() - before)
    elapsed = (time.perf_counter_ns() - start) / 1e9
    bench.close()
    print("measured", elapsed, *times)

    """

  private static let versionScript = """
    import platform
    import psycopg
    from importlib.metadata import version
    import eventsourcing.postgres
    print(f"{version('eventsourcing')}, psycopg {version('psycopg')} ({psycopg.pq.__impl__}), "
          f"Python {platform.python_version()}")
    """
}
