// How far `wharfd verify` and `wharfd rebuild` are, as people see it: lines in a file, a bar that moves on
// a terminal, and the result apart from it.

import Foundation
import Postgres
import TestKit
import Testing

extension AgainstWharfd {
  struct ProgressTests {
    /// A walk over them tells more than once how far it is.
    private static let manyEvents = 10_000
    /// Longer than a walk says nothing.
    private static let heldSeconds = 1.3
    private static let clear = "\r\u{1B}[K"
    private static let fullBar = String(repeating: "█", count: 30)

    /// A log on which no wharfd runs, and where it ends.
    private func grown() async throws -> (Hosted, head: Int64) {
      let hosted = try Hosted()
      try await hosted.start()
      hosted.stop()
      var connection = try TestDatabase.current.connect()
      try connection.script(ChainSQL.grow(by: Self.manyEvents))
      let rows = try connection.query("SELECT max(position) FROM log.events")
      return (hosted, try rows[0].decode(Int64.self, at: 0))
    }

    /// Runs it on a log that is held for so long that it does not go by in a moment.
    private func wharfd(_ hosted: Hosted, _ arguments: [String]) async throws -> Ran {
      var holder = try TestDatabase.current.connect()
      var looker = try TestDatabase.current.connect()
      try holder.script("BEGIN; LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE")
      let child = try Programs.start(
        "wharfd", arguments + ["--database", TestDatabase.current.url],
        environment: ["PATH": "/usr/bin:/bin"], folder: hosted.folder)
      try await eventually("it waits for the log") {
        try looker.query(
          """
          SELECT FROM pg_stat_activity WHERE datname = current_database()
            AND wait_event_type = 'Lock'
          """
        ).count > 0
      }
      try await Task.sleep(for: .seconds(Self.heldSeconds))
      try holder.script("COMMIT")
      let status = try await child.waitForExit(withinSeconds: 120)
      guard case .code(let code) = status else { throw TestFailure("ended by \(status)") }
      return Ran(code: code, out: child.output, err: child.errors)
    }

    /// The same with stderr on a terminal, and stdout in a file.
    private func onTerminal(_ hosted: Hosted, _ arguments: [String]) async throws -> Ran {
      let out = "\(hosted.folder)/stdout"
      let words = [builtProgram("wharfd")] + arguments + ["--database", TestDatabase.current.url]
      let line = words.map { "'\($0)'" }.joined(separator: " ")
      let child = try Child(
        ["script", "-qec", "\(line) > '\(out)'", "/dev/null"],
        environment: ["PATH": "/usr/bin:/bin", "TERM": "xterm"], folder: hosted.folder)
      let status = try await child.waitForExit(withinSeconds: 120)
      guard case .code(let code) = status else { throw TestFailure("ended by \(status)") }
      return Ran(code: code, out: try Programs.text(URL(filePath: out)), err: child.output)
    }

    /// Where each line or picture of a walk was, in events and in percent.
    private func shown(
      _ doing: String, _ text: String, of head: Int64
    ) throws -> [(position: Int64, percent: Int)] {
      let pattern = try Regex("\(doing) ([0-9]+) of \(head) events, ([0-9]+) %, [0-9]+/s")
      return try text.matches(of: pattern).map { match in
        (
          try #require(match.output[1].substring.flatMap { Int64($0) }),
          try #require(match.output[2].substring.flatMap { Int($0) })
        )
      }
    }

    /// It moved on, was true, and came to its end.
    private func expectWhole(_ shown: [(position: Int64, percent: Int)], of head: Int64) {
      #expect(shown.count >= 2)
      #expect(zip(shown, shown.dropFirst()).allSatisfy { $0.position < $1.position })
      #expect(shown.allSatisfy { $0.percent == Int($0.position * 100 / head) })
      #expect(shown.last?.position == head && shown.last?.percent == 100)
    }

    @Test func `verify shows how far it is, and a row that was spoilt by its position`()
      async throws
    {
      let (hosted, head) = try await grown()
      let sound = try await wharfd(hosted, ["verify"])
      #expect(sound.code == 0 && sound.out.hasPrefix("The log is sound: \(head) events, head "))
      #expect(sound.out.split(separator: "\n").count == 1, "the result alone: \(sound.out)")
      expectWhole(try shown("verified", sound.err, of: head), of: head)
      #expect(!sound.err.contains("\r") && !sound.err.contains("█"), "\(sound.err)")

      let seen = try await onTerminal(hosted, ["verify"])
      #expect(seen.code == 0 && seen.out == sound.out)
      expectWhole(try shown("verified", seen.err, of: head), of: head)
      #expect(seen.err.contains("\(Self.clear)\(Self.fullBar)  verified \(head)"))
      #expect(seen.err.hasSuffix(Self.clear), "the moving line goes away: \(seen.err.suffix(80))")

      let bad = head - 10
      var connection = try TestDatabase.current.connect()
      try connection.script(
        """
        ALTER TABLE log.events DISABLE TRIGGER events_append_only;
        UPDATE log.events SET actor = 'person/77' WHERE position = \(bad);
        """)
      for (ran, isTerminal) in [
        (try await wharfd(hosted, ["verify"]), false),
        (try await onTerminal(hosted, ["verify"]), true),
      ] {
        #expect(ran.code == 1, "\(ran)")
        #expect(
          ran.out.hasPrefix("The log is not sound: ") && ran.out.contains("position \(bad)"),
          "\(ran.out)")
        #expect(ran.out.split(separator: "\n").count == 1)
        let shown = try shown("verified", ran.err, of: head)
        #expect(shown.count >= 1 && shown.allSatisfy { $0.position < bad && $0.percent < 100 })
        #expect(!isTerminal || ran.err.hasSuffix(Self.clear))
      }
    }

    @Test func `rebuild shows its steps and how far it is, and where it stopped`() async throws {
      let (hosted, head) = try await grown()
      let arguments = ["rebuild", "--secret-file", "\(hosted.folder)/secret"]
      let done = try await wharfd(hosted, arguments)
      #expect(done.code == 0 && done.out == "The views are new: position \(head).\n", "\(done)")
      expectWhole(try shown("projected", done.err, of: head), of: head)
      let lines = done.err.split(separator: "\n").filter { !$0.hasPrefix("projected ") }
      #expect(lines.first == "reading the log of \(head) events")
      #expect(lines.contains { $0.hasPrefix("writing ") && $0.hasSuffix(" rows of the state") })
      #expect(lines.last == "swapped in, at position \(head)", "\(lines)")
      #expect(!done.err.contains("\r") && !done.err.contains("█"))

      let seen = try await onTerminal(hosted, arguments)
      #expect(seen.code == 0 && seen.out == done.out, "\(seen)")
      expectWhole(try shown("projected", seen.err, of: head), of: head)
      #expect(seen.err.contains("\(Self.fullBar)  projected \(head)"))
      #expect(seen.err.hasSuffix(Self.clear))

      let bad = head - 10
      var connection = try TestDatabase.current.connect()
      try connection.script(
        """
        ALTER TABLE log.events DISABLE TRIGGER events_append_only;
        UPDATE log.events SET type = 'somethingNewer' WHERE position = \(bad);
        """)
      let stopped = try await wharfd(hosted, arguments)
      #expect(stopped.code == 1, "\(stopped)")
      #expect(
        stopped.out.hasPrefix("The views were not rebuilt, and the old ones stay: ")
          && stopped.out.contains("position \(bad)"), "\(stopped.out)")
      #expect(try shown("projected", stopped.err, of: head).allSatisfy { $0.position < bad })
    }
  }
}
