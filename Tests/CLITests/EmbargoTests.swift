// A viewer and an embargoed model: whatever is asked, the answer is that of a model that does not
// exist.

import TestKit
import Testing

extension AgainstWharfd {
  struct EmbargoTests {
    @Test func `An embargoed model answers a viewer exactly as an unknown one`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let start = try await admin.next()
      try await admin.onboards("xai/grok-4")
      // A provider, its agreement, an engine, then the model and its version.
      let model = "model/\(start + 3)"
      let deployment = "deployment/\(start + 5)"
      try await admin.does("deployment", "create", "covert", "--model", "xai/grok-4:1")
      let viewer = try await hosted.invited("vic", "viewer")

      try await admin.does("deployment", "create", "gone", "--model", "xai/grok-4:1")
      try await admin.does("deployment", "delete", "gone")
      // Each pair asks the same of what is hidden and of what is not there.
      for (hidden, unknown) in [
        (["model", "show", "xai/grok-4"], ["model", "show", "xai/grok-9"]),
        (["model", "show", model], ["model", "show", "model/7777"]),
        (["history", "model", "xai/grok-4"], ["history", "model", "xai/grok-9"]),
        (["history", "model", model], ["history", "model", "model/7777"]),
        (["deployment", "show", "covert"], ["deployment", "show", "absent"]),
        (["history", "deployment", "covert"], ["history", "deployment", "absent"]),
        (["history", "deployment", "gone"], ["history", "deployment", "absent"]),
        (["replica", "show", "covert-1"], ["replica", "show", "absent-1"]),
        (
          ["replica", "list", "--deployment", "covert"],
          ["replica", "list", "--deployment", "absent"]
        ),
      ] {
        let first = try await run(viewer, hidden)
        let second = try await run(viewer, unknown)
        #expect(first.code == 1 && second.code == 1)
        let renamed = first.err.replacing("grok-4", with: "grok-9").replacing(
          "covert", with: "absent"
        )
        .replacing("'gone'", with: "'absent'")
        .replacing(model, with: "model/7777")
        #expect(renamed == second.err, "\(hidden)")
      }
      #expect(try await run(admin, ["history", "model", model]).code == 0)

      for arguments in [
        ["model", "list"], ["deployment", "list"], ["replica", "list"], ["status"],
        ["events", "--after", "0", "--limit", "1000"], ["diff", "--from", "0"], ["node", "list"],
        ["team", "list"], ["provider", "list"],
      ] {
        let seen = try await run(viewer, arguments + ["-o", "json"])
        #expect(seen.code == 0)
        for name in ["grok-4", "covert", model, deployment] {
          #expect(!seen.out.contains(name), "\(arguments) tells of \(name)")
        }
        let all = try await run(admin, arguments + ["-o", "json"])
        #expect(all.code == 0)
      }
      #expect(try await viewer.does("status").contains("1 provider, 0 models"))

      // What is hidden does not count: as many are shown as were asked for.
      func lines(_ arguments: String...) async throws -> [String] {
        try await run(viewer, ["events", "-q"] + arguments).out.split(separator: "\n").map(
          String.init)
      }
      let all = try await lines("--after", "0", "--limit", "1000")
      for limit in [1, 5, 12] {
        #expect(try await lines("--limit", "\(limit)") == Array(all.suffix(limit)))
        let first = try await lines("--after", "0", "--limit", "\(limit)")
        #expect(first == Array(all.prefix(limit)))
      }

      // Gone from the state, still hidden in the log; published, known also of the past.
      try await admin.does("deployment", "delete", "covert")
      #expect(try await run(viewer, ["history", "deployment", deployment]).code == 1)
      #expect(try await run(admin, ["history", "deployment", deployment]).code == 0)
      try await admin.does("model", "publish", "xai/grok-4", "--to", "external")
      #expect(try await viewer.does("model", "list", "-q") == "xai/grok-4")
      #expect(try await run(viewer, ["history", "deployment", deployment]).code == 0)
    }

    @Test func `A viewer reads and changes nothing; who is only invited reads nothing`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let viewer = try await hosted.invited("vic", "viewer")
      try await viewer.does("provider", "list")
      let sent = try await viewer.wharf("provider", "register", "xai")
      #expect(sent.code == 1 && sent.err.contains("is not for the role viewer"))
      let admin = try hosted.admin()
      for secret in [
        try await admin.does("person", "invite", "ada", "--role", "operator", "-q"),
        try await admin.does("node", "join-token", "-q"),
        try await admin.does("gateway", "register", "edge", "-q"),
      ] {
        let holder = try hosted.someone("holder", token: secret)
        for arguments in [["model", "list"], ["status"], ["events"], ["diff", "--from", "0"]] {
          let read = try await run(holder, arguments)
          #expect(read.code == 1 && read.err.contains("reading is not for the role"), "\(read)")
        }
        #expect(try await holder.wharf("whoami").code == 0)
      }
    }

    private func run(_ someone: Someone, _ arguments: [String]) async throws -> Ran {
      try await Programs.run(
        "wharf", arguments, environment: someone.environment, folder: someone.folder)
    }
  }
}
