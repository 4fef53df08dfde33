// The moments that people ask for, from outside: which of position, time and mark a text is.

import Foundation
import Hosting
import Postgres
import TestKit
import Testing

extension AgainstWharfd {
  struct MomentTests {
    @Test func `A position, a time and a mark are told apart, and what is to come is refused`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      for name in ["42", "2026-01-01", "2026-01"] {
        let refused = try await admin.wharf("mark", name)
        #expect(refused.code == 1, "\(refused)")
        #expect(
          refused.err.contains("cannot mark as '\(name)': that reads as a position or a time"))
      }
      try await admin.does("provider", "register", "xai")
      try await admin.does("mark", "before-openai")
      // A second apart, so that the shown time tells them apart.
      let shown = try await shownTime(admin)
      try await Programs.until("the next second came") {
        try await admin.does("mark", "tick-\(UUID().uuidString)")
        return try await shownTime(admin) != shown
      }
      try await admin.does("provider", "register", "openai")
      for moment in ["before-openai", shown, "\(try await position(admin, "before-openai"))"] {
        #expect(
          try await admin.does("provider", "list", "-q", "--as-of", moment) == "xai", "\(moment)")
      }
      #expect(try await admin.does("provider", "list", "-q", "--as-of", "2001-01-01") == "")
      let newest = try await shownTime(admin)
      #expect(
        try await admin.does("provider", "list", "-q", "--as-of", newest)
          == "openai\nxai", "the event shown with this time is in")
      for ahead in ["2095-01-01", "2095-01-01 10:00:00", "2095-01-01T10:00:00+02:00"] {
        let refused = try await admin.wharf("provider", "list", "--as-of", ahead)
        #expect(refused.code == 1, "\(refused)")
        #expect(refused.err.contains("cannot show the state as of 2095-01-01"), "\(refused)")
        let diff = try await admin.wharf("diff", "--from", "1", "--to", ahead)
        #expect(diff.code == 1, "\(diff)")
      }
    }

    @Test func `A time without an offset is UTC, and what is to come was seen by nobody`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let shown = try await shownTime(admin)
      let written = shown.replacing(" ", with: "T")
      #expect(try await admin.does("provider", "list", "-q", "--as-of", written) == "xai")
      let ahead = try await admin.wharf("provider", "suspend", "xai", "--unchanged-since", "999999")
      #expect(ahead.code == 1, "\(ahead)")
      #expect(ahead.err.contains("there is no position 999999 yet: the log ends at "), "\(ahead)")
      #expect(try await admin.does("provider", "show", "xai").contains("suspended") == false)
      let empty = try await admin.wharf(
        "agreement", "sign", "xai", "--scope", "inference", "--audience", "internal", "--from",
        "2026-11-30", "--until", "2026-11-30")
      #expect(
        empty.err.contains(
          "an agreement must end after it begins: it begins at 2026-11-30 00:00:00 UTC, and would "
            + "end at 2026-11-30 00:00:00 UTC"), "\(empty)")
    }

    @Test func `A time wins over a mark of that name in an older log`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let next = try await admin.next()
      try await admin.does("mark", "stand-in")
      hosted.stop()
      // As a wharfd of before recorded it.
      var connection = try TestDatabase.current.connect()
      try connection.script(
        ChainSQL.rewrite(
          Int64(next), #"data = '{"name":"2001-01-01","position":\#(next - 1)}'"#))
      try hosted.forgetSeen()
      try await hosted.start(as: "newcomer")
      let newcomer = try hosted.admin("newcomer")
      #expect(try await newcomer.does("mark").contains("2001-01-01"))
      // Nothing was there then; at the mark's position xai was.
      #expect(try await newcomer.does("provider", "list", "-q", "--as-of", "2001-01-01") == "")
      #expect(try await newcomer.does("provider", "list", "-q", "--as-of", "\(next - 1)") == "xai")
    }

    private func shownTime(_ someone: Someone) async throws -> String {
      let lines = try await someone.does("events", "--limit", "1").split(separator: "\n")
      let line = try #require(lines.last)
      return "\(try #require(line.firstMatch(of: /[0-9]{4}-[0-9-]+ [0-9:]+/)).output)"
    }

    private func position(_ someone: Someone, _ mark: String) async throws -> Int {
      let line = try await someone.does("mark").split(separator: "\n").first {
        $0.hasPrefix(mark)
      }
      return try #require(
        (line?.split(separator: " ").dropFirst().first).flatMap { Int($0) })
    }
  }
}
