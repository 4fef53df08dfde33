// `wharf apply` against a real wharfd: once, and again.

import TestKit
import Testing

extension AgainstWharfd {
  struct ApplyTests {
    private static let documents = """
      scenario: story
      steps:
        - step: register
          command: provider.register
          with: {name: xai, title: xAI}
          reason: the press knows
        - step: sign
          command: agreement.sign
          with:
            provider: xai
            terms: {scope: [inference], audiences: [internal], from: 2025-05-01, noticeDays: 90}
      ---
      kind: Model
      name: xai/grok-3
      task: chat
      versions: [{version: 1, engine: sim, devices: 2, deviceMemory: 70GiB}]
      aliases: [{alias: stable, version: 1}]
      published: [{audience: internal, stage: preview}]
      ---
      kind: Team
      name: copilot
      audience: internal
      grants: [{model: xai/grok-3, requestsPerMinute: 600}]
      ---
      kind: Deployment
      name: grok
      model: xai/grok-3:1
      replicas: 2
      """

    @Test func `A second apply changes nothing, and says so`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.does("engine", "define", "-f", "-", input: Someone.engine)
      let empty = try await admin.does("status", "-q")
      let dry = try await admin.does("apply", "-f", "-", "--dry-run", input: Self.documents)
      #expect(dry.hasSuffix("9 would be done"), "\(dry)")
      #expect(try await admin.does("status", "-q") == empty)

      let first = try await admin.does("apply", "-f", "-", input: Self.documents)
      #expect(first.hasSuffix("9 done"), "\(first)")
      // What was foretold came, at the very positions.
      #expect(
        dry.replacing("would be ", with: "") == first, "\(dry)\n\(first)")
      let head = try await admin.does("status", "-q")
      let second = try await admin.does("apply", "-f", "-", input: Self.documents)
      #expect(
        second == """
          scenario story
            register                  provider.register     unchanged
            sign                      agreement.sign        unchanged
          model xai/grok-3
            unchanged
          team copilot
            unchanged
          deployment grok
            unchanged
          5 unchanged
          """)
      let dryAgain = try await admin.does("apply", "-f", "-", "--dry-run", input: Self.documents)
      #expect(dryAgain == second)
      #expect(try await admin.does("status", "-q") == head)
      #expect(
        try await admin.does("history", "provider", "xai", "-o", "wide").contains("the press knows")
      )

      let changed = Self.documents.replacing("title: xAI", with: "title: X")
      for flags in [[], ["--dry-run"]] {
        let other = try await Programs.run(
          "wharf", ["apply", "-f", "-"] + flags, environment: admin.environment,
          folder: admin.folder, input: changed)
        #expect(other.code == 1)
        #expect(
          other.err.hasPrefix("error: stdin:3:5: step 'register': this command id was used before"))
      }
    }

    @Test func `A dry run is decided, each step on what those before it would leave`()
      async throws
    {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let text = """
        scenario: team
        steps:
          - step: register
            command: team.register
            with: {name: copilot, audience: internal}
          - step: again
            command: team.register
            with: {name: copilot, audience: internal}
        ---
        kind: Team
        name: copilot
        audience: internal
        requestsPerMinute: 60
        """
      let ran = try await admin.wharf("apply", "-f", "-", "--dry-run", input: text)
      #expect(ran.code == 1 && ran.err.hasPrefix("error: stdin:6:5: step 'again': "), "\(ran)")
      #expect(ran.out.contains("team.register         would be team/"), "\(ran)")
      // The wish sees the team that the scenario would make: no second one is registered.
      let sound = text.replacing("name: copilot", with: "name: other", maxReplacements: 1)
      let said = try await admin.does("apply", "-f", "-", "--dry-run", input: sound)
      #expect(said.contains("team.quota"), "\(said)")
      #expect(said.hasSuffix("3 would be done"), "\(said)")

      let nobody = try await admin.wharf(
        "apply", "-f", "-", "--dry-run",
        input: """
          scenario: none
          steps:
            - step: grant
              command: team.grant
              with: {team: nobody, model: xai/grok-3}
          """)
      #expect(nobody.code == 1, "\(nobody)")
      #expect(
        nobody.err.hasPrefix("error: stdin:3:5: step 'grant': there is no team named 'nobody'"))
      #expect(try await admin.does("team", "list") == "no teams")
    }

    @Test func `A refused step names its place, and what came before stays`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let text = """
        scenario: partly
        steps:
          - step: one
            command: provider.register
            with: {name: xai}
          - step: two
            command: provider.suspend
            with: {provider: nobody}
        """
      let ran = try await admin.wharf("apply", "-f", "-", input: text)
      #expect(ran.code == 1)
      #expect(
        ran.err.hasPrefix("error: stdin:6:5: step 'two': there is no provider named 'nobody'"))
      #expect(
        ran.err.contains("help: 1 step was done before it and stays; applying again goes on from"),
        "\(ran)")
      #expect(try await admin.does("provider", "list", "-q") == "xai")
    }

    @Test func `Nothing is sent when any document is wrong`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let text = "kind: provider\nname: xai\n---\nkind: provider\nname: b\n colour: red\n"
      let ran = try await admin.wharf("apply", "-f", "-", input: text)
      #expect(ran.code == 1 && ran.err.hasPrefix("error: stdin:6:8: this is no YAML"), "\(ran)")
      #expect(try await admin.does("provider", "list") == "no providers")
    }
  }
}
