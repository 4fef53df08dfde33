// The commands of the design's transcript, against a real wharfd: as far as no replica must run.

import TestKit
import Testing

extension AgainstWharfd {
  struct TranscriptTests {
    @Test func `The transcript runs as printed`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.onboards()
      try await admin.does(
        "model", "publish", "xai/grok-3", "--to", "internal", "--stage", "preview")
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      try await admin.does("team", "grant", "copilot", "xai/grok-3", "--requests-per-minute", "600")
      let key = try await admin.does("key", "issue", "copilot", "--name", "laptop", "-q")
      #expect(key.wholeMatch(of: /wharf-key-[0-9a-f]{64}/) != nil)
      try await admin.does(
        "deployment", "create", "grok", "--model", "xai/grok-3:1", "--replicas", "2")
      #expect(try await admin.does("deployment", "list").contains("0/2"))

      let marked = try await admin.does("mark", "before-revoke", "-q")
      try await admin.does("team", "revoke", "copilot", "xai/grok-3")
      let before = try await admin.does("team", "show", "copilot", "--as-of", "before-revoke")
      #expect(before.contains("xai/grok-3  inference  600"))
      #expect(!before.contains("ENDED GRANTS"))
      let after = try await admin.does("team", "show", "copilot")
      #expect(after.contains("ENDED GRANTS") && !after.contains("600"))
      let same = try await admin.does("team", "show", "copilot", "--as-of", marked)
      #expect(same == before)

      let diff = try await admin.does("diff", "--from", "before-revoke")
      #expect(diff.hasPrefix("~ team copilot\n    grants[xai/grok-3]: - model=xai/grok-3"))
      #expect(diff.contains("endedGrants[xai/grok-3]: + model=xai/grok-3 cause=revoked"))
      #expect(
        try await admin.does("diff", "--from", "before-revoke", "--to", marked) == "no difference")
      let history = try await admin.does("history", "team", "copilot", "-q")
      #expect(history.split(separator: "\n").count == 3)
      let keys = try await admin.does("key", "list", "copilot", "-o", "json")
      #expect(!keys.contains(key) && keys.contains(String(key.prefix(18))))
    }

    @Test func `A list comes in the order that is asked for, and with some fields`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      for team in ["beta", "alpha", "gamma"] {
        try await admin.does("team", "register", team, "--audience", "internal")
      }
      func names(_ sort: String) async throws -> String {
        try await admin.does("team", "list", "-q", "--sort", sort)
      }
      #expect(try await names("name") == "alpha\nbeta\ngamma")
      #expect(try await names("-name") == "gamma\nbeta\nalpha")
      #expect(try await names("-id") == "gamma\nalpha\nbeta")
      let some = try await admin.does("team", "list", "-o", "json", "--fields", "name,audience")
      #expect(some.contains(#""name": "alpha""#) && !some.contains("grants"), "\(some)")
      let bare = try await admin.wharf("team", "list", "--fields", "name")
      #expect(bare.code == 2 && bare.err.contains("add one of them"), "\(bare)")
      let wrong = try await admin.wharf("team", "list", "--sort", "nme")
      #expect(wrong.err.contains("name, grants, id"), "\(wrong)")
    }

    @Test func `Status is one screen, of now and of then`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let mark = try await admin.does("mark", "empty", "-q")
      try await admin.onboards()
      try await admin.does("deployment", "create", "grok", "--model", "xai/grok-3:1")
      let now = try await admin.does("status")
      #expect(now.contains("hosting   1 provider, 1 model, 0 teams, 0 keys"))
      #expect(now.contains("grok  xai/grok-3:1  0/1"))
      let then = try await admin.does("status", "--as-of", "empty")
      #expect(then.contains("hosting   0 providers, 0 models"))
      #expect(then.hasPrefix("as of     \(mark) of era 1") && !then.contains("hash"))
    }

    @Test func `Every reply is JSON of one form, and YAML of the same`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let position = try await admin.next()
      try await admin.onboards()
      for noun in [
        "provider", "agreement", "engine", "model", "team", "person", "deployment", "replica",
        "node",
        "gateway", "key",
      ] {
        let json = try await admin.does(noun, "list", "-o", "json")
        #expect(json.hasPrefix("{\n  \"position\": ") && json.contains("\n  \"items\": ["))
        let yaml = try await admin.does(noun, "list", "-o", "yaml")
        #expect(yaml.hasPrefix("position: ") && yaml.contains("\nitems:"))
      }
      let sent = try await admin.does("provider", "suspend", "xai", "-o", "json")
      #expect(sent.contains("\"type\": \"providerSuspended\""))
      #expect(sent.contains("\n  \"items\": ["))
      #expect(
        try await admin.does("provider", "show", "provider/\(position)", "-o", "json").contains(
          "suspendedAt")
      )
    }
  }
}
