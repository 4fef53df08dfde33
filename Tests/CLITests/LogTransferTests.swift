// `wharfd export`, `import` and `recover` as people run them: real programs, a real kill.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing

extension AgainstWharfd {
  struct LogTransferTests {
    private static let manyEvents = 40_000
    /// Who waits for the test's lock.
    private static let held: Query = """
      SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'advisory'
      """

    private func wharfd(_ hosted: Hosted, _ arguments: String...) async throws -> Ran {
      try await Programs.run(
        "wharfd", arguments, environment: ["PATH": "/usr/bin:/bin"], folder: hosted.folder)
    }

    private func table(_ database: TestDatabase) throws -> [UInt8] {
      var connection = try database.connect()
      var bytes: [UInt8] = []
      try connection.copyOut("COPY (SELECT * FROM log.events ORDER BY position) TO STDOUT") {
        bytes += $0
      }
      return bytes
    }

    private func count(_ database: TestDatabase) throws -> Int64 {
      var connection = try database.connect()
      // There is no table before the import made one.
      guard let rows = try? connection.query("SELECT count(*) FROM log.events") else { return 0 }
      return try rows[0].decode(Int64.self, at: 0)
    }

    @Test func `An import killed in the middle goes on, and gives the same table`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      try await hosted.admin().does("provider", "register", "xai")
      hosted.stop()
      let from = TestDatabase.current
      var connection = try from.connect()
      try connection.script(ChainSQL.grow(by: Self.manyEvents))
      let file = "\(hosted.folder)/log.ndjson"
      let exported = try await wharfd(hosted, "export", "--to", file, "--database", from.url)
      #expect(exported.code == 0, "\(exported)")
      let twice = try await wharfd(hosted, "export", "--to", file, "--database", from.url)
      #expect(twice.code == 1 && twice.err.contains("exists already"))

      let to = try await TestCluster.shared().makeDatabase()
      let migrated = try await wharfd(hosted, "migrate", "--database", to.url)
      #expect(migrated.code == 0, "\(migrated)")
      // In its middle it waits for a lock.
      var holder = try to.connect()
      try holder.script(
        """
        CREATE FUNCTION log.hold() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
        CREATE TRIGGER hold BEFORE INSERT ON log.events FOR EACH ROW
          WHEN (NEW.position = \(Self.manyEvents / 2)) EXECUTE FUNCTION log.hold();
        SELECT pg_advisory_lock(1);
        """)
      let child = try Programs.start(
        "wharfd", ["import", file, "--database", to.url], environment: [:], folder: hosted.folder)
      try await Programs.until("it is in its middle") {
        try holder.query(Self.held).count > 0
      }
      child.send(SIGKILL)
      try await child.waitForExit()
      // Its server process would find out by itself, sooner or later.
      for row in try holder.query(Self.held) {
        try holder.execute(
          "SELECT pg_terminate_backend(\(try row.decode(Int32.self, at: 0)), 300000)")
      }
      try holder.script(
        "DROP TRIGGER hold ON log.events; DROP FUNCTION log.hold(); SELECT pg_advisory_unlock(1)")
      let left = try count(to)
      #expect(left > 2_000 && left < Self.manyEvents, "it was killed in the middle: \(left)")
      let again = try await wharfd(hosted, "import", file, "--database", to.url)
      #expect(again.code == 0 && again.out.contains("; \(left) were there already."), "\(again)")
      let head = try #require(exported.err.firstMatch(of: /head ([0-9a-f]{64})/)).output.1
      #expect(again.out.contains(head))
      #expect(try table(to) == table(from))
      let verified = try await wharfd(hosted, "verify", "--database", to.url)
      #expect(verified.out == "The log is sound: \(try count(from)) events, head \(head).\n")
      try await TestCluster.shared().drop(to)
    }

    @Test func `With a lost or another secret wharfd ends, until a person says it is lost`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let id = "01970000-0000-7000-8000-000000000042"
      let first = try await admin.does("provider", "register", "xai", "--command-id", id)
      hosted.stop()
      let (file, kept) = ("\(hosted.folder)/secret", "\(hosted.folder)/kept")
      try FileManager.default.moveItem(atPath: file, toPath: kept)
      let lost = try await hosted.refusal()
      #expect(lost.contains("there is no \(file)") && lost.contains("copy the file"), "\(lost)")
      #expect(!FileManager.default.fileExists(atPath: file), "none is made beside a log")
      let other = String(repeating: "ab", count: 32)
      try other.write(toFile: file, atomically: true, encoding: .utf8)
      #expect(chmod(file, 0o600) == 0)
      let refused = try await hosted.refusal()
      #expect(refused.contains("copy the file that --secret-file names"), "\(refused)")

      // The right one, put back: the same command is still the same.
      try FileManager.default.removeItem(atPath: file)
      try FileManager.default.copyItem(atPath: kept, toPath: file)
      try await hosted.start()
      let again = try await admin.does("provider", "register", "xai", "--command-id", id)
      #expect(again == first)
      hosted.stop()

      // Lost for good: a new one is made and recorded on a person's word.
      try FileManager.default.removeItem(atPath: file)
      let url = TestDatabase.current.url
      let alone = try await wharfd(hosted, "recover", "--new-secret", "--database", url)
      #expect(alone.code == 2 && alone.err.contains("go together"), "\(alone)")
      let unasked = try await wharfd(
        hosted, "recover", "--new-secret", "--secret-file", file, "--database", url)
      #expect(unasked.code == 1 && unasked.out.contains("The log was left as it is"), "\(unasked)")
      #expect(try await !hosted.refusal().isEmpty)
      let recovered = try await wharfd(
        hosted, "recover", "--new-secret", "--secret-file", file, "--yes", "--database", url)
      #expect(recovered.code == 0 && recovered.out.contains("belongs to the new secret"))
      try await hosted.start()
      try await admin.does("provider", "register", "openai")
    }

    @Test func `An imported log is led only after a new era, and readers are told`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let file = "\(hosted.folder)/log.ndjson"
      let from = TestDatabase.current.url
      #expect(try await wharfd(hosted, "export", "--to", file, "--database", from).code == 0)
      try await admin.does("provider", "register", "later")
      let seen = try #require(Int(try await admin.does("status", "-q")))
      hosted.stop()

      let to = try await TestCluster.shared().makeDatabase()
      #expect(try await wharfd(hosted, "import", file, "--database", to.url).code == 0)
      hosted.database = to.url
      let refused = try await hosted.refusal()
      #expect(refused.contains("is not the one the log was last written into (system"))
      #expect(refused.contains("wharfd recover"))
      let unasked = try await wharfd(hosted, "recover", "--database", to.url)
      #expect(unasked.code == 1 && unasked.out.contains("No era was begun."), "\(unasked)")
      let recovered = try await wharfd(hosted, "recover", "--yes", "--database", to.url)
      #expect(recovered.code == 0, "\(recovered)")
      let again = try await wharfd(hosted, "recover", "--yes", "--database", to.url)
      #expect(again.code == 1 && again.out.contains("Nothing tells that the log was moved"))

      try await hosted.start(as: "newcomer")
      let era = try #require(recovered.out.firstMatch(of: /The era of position (\d+) began/)).output
        .1
      let told = try await admin.wharf("provider", "list", "-q")
      #expect(told.code == 0 && told.out == "xai\n", "\(told)")
      #expect(told.err.contains("note: a new era of the log began at position \(era)"))
      #expect(told.err.contains("what you saw at positions \(era) to \(seen) is gone from it"))
      #expect(try await admin.wharf("provider", "list").err.isEmpty, "once is enough")
      hosted.stop()
      try await TestCluster.shared().drop(to)
    }

    @Test func `A copy that is tried out at another address is no news of the original`()
      async throws
    {
      let (home, drill) = (try Hosted(), try Hosted())
      try await home.start()
      let admin = try home.admin()
      try await admin.does("provider", "register", "xai")
      let copy = try await TestCluster.shared().makeDatabase()
      try shell(
        "pg_dump -d '\(TestDatabase.current.url)' | psql -q -v ON_ERROR_STOP=1 -d '\(copy.url)'")
      // It goes on at home, so that the copy's era begins where there is something else.
      try await admin.does("provider", "register", "later")
      let recovered = try await wharfd(drill, "recover", "--yes", "--database", copy.url)
      #expect(recovered.code == 0, "\(recovered)")
      for file in ["secret", "admin-token"] {
        try FileManager.default.copyItem(
          atPath: "\(home.folder)/\(file)", toPath: "\(drill.folder)/\(file)")
      }
      drill.database = copy.url
      try await drill.start(as: "newcomer")

      var there = admin
      there.environment["WHARF_API"] = drill.api
      let tried = try await there.wharf("provider", "list", "-q")
      // Another place, another era: neither is compared with the other.
      #expect(tried.code == 0 && tried.out == "xai\n" && tried.err.isEmpty, "\(tried)")
      try await there.does("provider", "register", "drilled")
      for _ in 0..<2 {
        let back = try await admin.wharf("provider", "list", "-q")
        #expect(back.code == 0 && back.out == "later\nxai\n" && back.err.isEmpty, "\(back)")
        let again = try await there.wharf("provider", "list", "-q")
        #expect(
          again.code == 0 && again.out == "drilled\nxai\n" && again.err.isEmpty, "\(again)")
      }
      let done = try await admin.wharf("provider", "register", "afterwards")
      #expect(done.code == 0 && done.err.isEmpty, "\(done)")
      drill.stop()
      home.stop()
      try await TestCluster.shared().drop(copy)
    }
  }
}
