// Real wharfd whose machine's clock is an hour off. One leads after one whose clock is right, and before
// it: the log is dated by its database, and no time falls. And dates fall due by the log's clock: nothing is
// noted early, late, or again and again.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing
import Wire

@Suite(.turn, .bounded) struct WrongClockTests {
  /// Tells a program another time than its machine has. Written in C, for LD_PRELOAD. Debian's faketime
  /// would do, but shifts the timers of monotonic clocks too, so that no wait in a Swift program ends.
  private static let shim = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <sys/time.h>
    #include <time.h>
    int clock_gettime(clockid_t clock, struct timespec *time) {
      static int (*real)(clockid_t, struct timespec *);
      if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
      int result = real(clock, time);
      if (clock == CLOCK_REALTIME) time->tv_sec += atol(getenv("SHIFT_SECONDS"));
      return result;
    }
    int gettimeofday(struct timeval *time, void *zone) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      time->tv_sec = now.tv_sec;
      time->tv_usec = now.tv_nsec / 1000;
      return 0;
    }
    """

  /// The environment of a program whose machine's clock is so much off.
  private func environment(_ folder: TestFolder, hours: Int) async throws -> [String: String] {
    let library = folder.path("shim.so")
    if !FileManager.default.fileExists(atPath: library) {
      try Data(Self.shim.utf8).write(to: URL(filePath: folder.path("shim.c")))
      let compiler = try Child(
        ["cc", "-shared", "-fPIC", "-o", library, folder.path("shim.c"), "-ldl"],
        environment: folder.environment(), folder: folder)
      try #require(try await compiler.waitForExit() == .code(0), "\(compiler.errors)")
    }
    return ["LD_PRELOAD": library, "SHIFT_SECONDS": "\(hours * 3_600)"]
  }

  /// What is wrong with the times in a table, whose last row was just appended.
  private func faults(in table: String, _ connection: inout Connection) throws -> [Fault] {
    var faults = Faults()
    let off = try connection.query(
      Query(
        """
        SELECT abs(extract(epoch FROM clock_timestamp() - recorded_at))::int8 FROM \(table)
        ORDER BY position DESC LIMIT 1
        """, []))
    let seconds = try off[0].decode(Int64.self, at: 0)
    faults.note("dated \(seconds) s off", unless: seconds < 60)
    let falls = try connection.query(
      Query(
        """
        SELECT position FROM (
          SELECT position, recorded_at < lag(recorded_at) OVER (ORDER BY position) AS falls
          FROM \(table)) t WHERE falls
        """, []))
    faults.note("a time falls", unless: falls.count == 0)
    return faults.all
  }

  @Test func `a leader whose clock is an hour off dates nothing wrongly, and no time falls`()
    async throws
  {
    let wharfds = try await Wharfds()
    let client = Client(wharfds, try wharfds.token())
    var connection = try wharfds.database.connect()
    for (round, hours) in [-1, 1].enumerated() {
      // Leads after the one whose clock is right, which is started again behind it.
      try await wharfds.kill9(1)
      try wharfds.start(1, with: try await environment(wharfds.folder, hours: hours))
      try await wharfds.ready(1)
      try await wharfds.kill9(0)
      try await eventually("the wrong clock leads") {
        try wharfds.leader() == 1
      }
      let name = try Name("dated-\(round)")
      let outcome = try await client.settle(
        client.call(PlaceMark(name: name)), from: 1, stays: true)
      guard case .stored = outcome else {
        Issue.record("\(outcome)")
        return
      }
      // Its own clock is wrong indeed: it stands in the ids that it makes.
      let ids = try connection.query(
        Query(
          """
          SELECT abs(('x' || translate(left(command_id::text, 13), '-', ''))::bit(48)::int8 / 1000
            - extract(epoch FROM clock_timestamp())::int8 - $1) < 60
          FROM log.events WHERE type = 'leadershipTaken' ORDER BY position DESC LIMIT 1
          """, [Parameter(Int64(hours) * 3_600)]))
      #expect(try ids[0].decode(Bool.self, at: 0), "the shim does not work")
      let found = try faults(in: "log.events", &connection)
      #expect(found == [], "under a clock that is \(hours) h off")
      try wharfds.start(0)
      try await wharfds.ready(0)
    }
    #expect(try await wharfds.verify().status == .code(0))
    await wharfds.remove()
  }

  /// What comes into the log when a grant, a key and an agreement end and all wharfd have such a clock.
  private func eventsOfDatesFallingDue(hours: Int) async throws -> [String: Int] {
    let wharfds = try await Wharfds(
      environment: try await environment(TestFolder(), hours: hours))
    let client = Client(wharfds, try wharfds.token())
    var connection = try wharfds.database.connect()
    let (xai, grok, copilot): (Name, ModelReference, Name) = ("xai", "xai/grok-3", "copilot")
    let terms = Terms(
      scope: [.inference], audiences: [.internal], from: Timestamp("2025-01-01")!,
      until: Timestamp("2095-01-01")!, noticeDays: 1)
    let story: [CommandCall] = [
      client.call(RegisterProvider(name: xai)),
      client.call(SignAgreement(provider: xai, terms: terms)),
      client.call(OnboardModel(model: grok, task: .chat, contextLength: nil)),
      client.call(PublishModel(model: grok, audience: .internal, stage: .preview)),
      client.call(RegisterTeam(name: copilot, audience: .internal)),
    ]
    for call in story {
      let outcome = try await client.settle(call, from: 0, stays: true)
      guard case .stored = outcome else { throw TestFailure("\(call): \(outcome)") }
    }
    // Each has its own end, by the database's time; one that was past when it came is asked for anew.
    func dated(_ call: (Timestamp) -> CommandCall) async throws -> Timestamp {
      var refusals: [String] = []
      return try await eventually("an end is to come") {
        let time = try connection.query("SELECT clock_timestamp()")[0]
          .decode(PostgresTimestamp.self, at: 0)
        let end = Timestamp(microseconds: time.microsecondsSinceUnixEpoch)
          .adding(seconds: Self.dueSeconds)
        switch try await client.settle(call(end), from: 0, stays: true) {
        case .stored: return end
        case .refused(let why): refusals.append(why)
        case .unknown: break
        }
        try #require(refusals.count < 5, "\(refusals)")
        return nil
      }
    }
    let ends = [
      "grantExpired": try await dated {
        client.call(GrantAccess(team: copilot, model: grok, until: $0))
      },
      "keyExpired": try await dated {
        client.call(
          IssueKey(
            team: copilot, name: "laptop", secret: .numbered(1), prefix: "wk_abc", until: $0))
      },
      "agreementEnded": try await dated { client.call(TerminateAgreement(provider: xai, end: $0)) },
    ]
    try await eventually(
      "the ends are noted, under a clock that is \(hours) h off", withinSeconds: 60
    ) {
      try connection.query(
        "SELECT FROM log.events WHERE type IN ('grantExpired', 'keyExpired', 'agreementEnded')"
      ).count >= 3
    }
    // And then nothing more is, for as long as several passes take.
    var heads: [Int64] = []
    repeat {
      heads.append(try wharfds.head())
      try await Task.sleep(for: .milliseconds(500))
    } while heads.count < Self.passesAtRest
      || Set(heads.suffix(Self.passesAtRest)).count > 1 && heads.count < Self.passesLimit
    let rows = try connection.query("SELECT type, count(*)::int8 FROM log.events GROUP BY type")
    for (type, end) in ends {
      let early = try connection.query(
        Query(
          "SELECT FROM log.events WHERE type = $1 AND recorded_at < $2",
          [
            Parameter(type),
            Parameter(PostgresTimestamp(microsecondsSinceUnixEpoch: end.microseconds)),
          ]))
      #expect(early.count == 0, "\(type), under a clock that is \(hours) h off")
    }
    await wharfds.remove()
    return Dictionary(
      uniqueKeysWithValues: try rows.map {
        (try $0.decode(String.self, at: 0), Int(try $0.decode(Int64.self, at: 1)))
      })
  }

  /// Long enough for one command.
  private static let dueSeconds: Int64 = 8
  private static let passesAtRest = 6
  private static let passesLimit = 40

  @Test
  func `under a clock that is off, dates that fall due leave as many events as under a right one`()
    async throws
  {
    let right = try await eventsOfDatesFallingDue(hours: 0)
    for type in ["grantExpired", "keyExpired", "agreementEnded"] {
      #expect(right[type] == 1, "\(right)")
    }
    for hours in [1, -1] {
      let wrong = try await eventsOfDatesFallingDue(hours: hours)
      #expect(wrong == right, "under a clock that is \(hours) h off")
    }
  }

  @Test(.database) func `a writer that dates by its machine's clock is found out`() async throws {
    let folder = try TestFolder()
    let url = TestDatabase.current.url
    var connection = try TestDatabase.current.connect()
    try connection.script(
      "CREATE TABLE toy (position bigserial PRIMARY KEY, recorded_at timestamptz)")
    // A time that fell stays in the table.
    for (hours, findings) in [(0, 0), (1, 1), (0, 1), (-1, 2)] {
      let writer = try Child(
        [
          "sh", "-c",
          #"psql -q -d "$0" -c "INSERT INTO toy (recorded_at) VALUES (to_timestamp($(date +%s)))""#,
          url,
        ],
        environment: folder.environment(try await environment(folder, hours: hours)),
        folder: folder)
      try #require(try await writer.waitForExit() == .code(0), "\(writer.errors)")
      let found = try faults(in: "toy", &connection)
      #expect(found.count == findings, "\(hours) h off: \(found)")
    }
  }
}
