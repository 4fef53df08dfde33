// The history of what is gone.

import Postgres
import TestKit
import Testing

extension AgainstWharfd {
  struct HistoryTests {
    @Test func `What was deleted is found by its name, the last that had it`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.onboards()
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      for _ in 0..<2 {
        try await admin.does("deployment", "create", "grok", "--model", "xai/grok-3:1")
        try await admin.does("deployment", "delete", "grok")
        try await admin.does("gateway", "register", "edge")
        try await admin.does("gateway", "remove", "edge")
        try await admin.does("key", "issue", "copilot", "--name", "laptop")
        try await admin.does("key", "revoke", "copilot", "--name", "laptop")
      }
      for (kind, name, first, last) in [
        ("deployment", "grok", "deploymentCreated", "deploymentDeleted"),
        ("gateway", "EDGE", "gatewayRegistered", "gatewayRemoved"),
        ("key", "laptop", "keyIssued", "keyRevoked"),
      ] {
        let told = try await admin.does("history", kind, name)
        #expect(told.contains(first) && told.contains(last), "\(told)")
        #expect(told.ranges(of: first).count == 1, "the last of them alone: \(told)")
        let created = try await admin.does("events", "--type", first, "-q")
        let newest = try #require(created.split(separator: "\n").last)
        #expect(told.contains("\(kind)/\(newest)"), "\(told)")
      }
      let never = try await admin.wharf("history", "deployment", "never")
      #expect(never.code == 1 && never.err.contains("there is no deployment named 'never'"))
      // As of before it was deleted, and of before it was there.
      let early = try await admin.wharf("history", "deployment", "grok", "--as-of", "1")
      #expect(early.code == 1, "\(early)")
    }

    @Test func `A long history is told whole`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("provider", "register", "xai")
      let shown = try await admin.does("provider", "show", "xai")
      let id = try #require(shown.firstMatch(of: /provider\/\d+/)).output
      hosted.stop()
      var connection = try TestDatabase.current.connect()
      try connection.script(ChainSQL.waver(String(id), times: 2_100))
      try await hosted.start()
      let told = try await admin.does("history", "provider", "xai")
      // With its heading.
      #expect(told.split(separator: "\n").count == 2_102)
      let json = try await admin.does("history", "provider", "xai", "-o", "json")
      #expect(json.ranges(of: "\"providerReinstated\"").count == 1_050)
    }
  }
}
