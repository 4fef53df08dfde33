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
            register                  provider.register     unchanged  name=xai title=xAI
            sign                      agreement.sign        unchanged  provider=xai terms={"scope":["inference"],"audiences":["internal"],"from":"202…
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
        ran.err.contains(
          "help: 1 step was done before it and stays; once that is mended, applying again goes on from"
        ),
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

    private func prepared() async throws -> (Hosted, Someone) {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      try await admin.onboards()
      try await admin.does("model", "publish", "xai/grok-3", "--to", "internal")
      return (hosted, admin)
    }

    private func team(_ more: String) -> String {
      "kind: team\nname: copilot\naudience: internal\n" + more
    }

    @Test func `What a document leaves out stays, and null removes`() async throws {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      let grant = "grants: [{model: xai/grok-3, requestsPerMinute: 60, until: 2090-01-01}]\n"
      try await admin.does(
        "apply", "-f", "-", input: team("requestsPerMinute: 600\ntokensPerMinute: 9000\n" + grant))
      let head = try await admin.does("status", "-q")
      for said in ["", "requestsPerMinute: 600\n", "grants: [{model: xai/grok-3}]\n"] {
        #expect(
          try await admin.does("apply", "-f", "-", input: team(said)).hasSuffix("1 unchanged"))
      }
      #expect(try await admin.does("status", "-q") == head)
      let removing = "tokensPerMinute: null\ngrants: [{model: xai/grok-3, until: null}]\n"
      for flag in ["--dry-run", "--reason=tidy"] {
        let said = try await admin.does("apply", "-f", "-", flag, input: team(removing))
        #expect(said.contains("team.quota") && said.contains("team.grant"), "\(said)")
      }
      let shown = try await admin.does("team", "show", "copilot", "-o", "yaml")
      #expect(shown.contains("requestsPerMinute: 600") && !shown.contains("tokensPerMinute"))
      #expect(shown.contains("requestsPerMinute: 60\n") && !shown.contains("until"), "\(shown)")

      let agreement = """
        kind: agreement
        provider: xai
        scope: [inference]
        audiences: [internal, external]
        from: 2025-05-01

        """
      #expect(try await admin.does("apply", "-f", "-", input: agreement).hasSuffix("1 unchanged"))
      let open = try await admin.does("apply", "-f", "-", input: agreement + "until: null\n")
      #expect(open.contains("agreement.amend"), "\(open)")
      #expect(
        try await admin.does("agreement", "show", "xai", "-o", "yaml").contains("until:") == false)

      let model = "kind: model\nname: xai/grok-3\ntask: chat\n"
      try await admin.does(
        "apply", "-f", "-", input: model + "aliases: [{alias: stable, version: 1}]\n")
      let away = model + "aliases: [{alias: stable, version: null}]\n"
      #expect(try await admin.does("apply", "-f", "-", input: away).contains("model.unalias"))
      #expect(try await admin.does("apply", "-f", "-", input: away).hasSuffix("1 unchanged"))
    }

    @Test func `What is there needs no more than its name, and what is new says what it lacks`()
      async throws
    {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      try await admin.does("team", "register", "copilot", "--audience", "internal")
      try await admin.does(
        "deployment", "create", "grok", "--model", "xai/grok-3:1", "--replicas", "2")
      for known in [
        "kind: team\nname: copilot\n", "kind: agreement\nprovider: xai\n",
        "kind: model\nname: xai/grok-3\n", "kind: deployment\nname: grok\n",
        "kind: provider\nname: xai\n",
      ] {
        let said = try await admin.does("apply", "-f", "-", input: known)
        #expect(said.hasSuffix("1 unchanged"), "\(known)\(said)")
      }
      try await admin.does("provider", "register", "meta")
      for (new, told) in [
        (
          "kind: team\nname: b\n",
          "error: stdin:1:1: there is no team b yet, and a new one needs 'audience'\n"
            + "help: add it, as audience: internal; "
        ),
        (
          "kind: agreement\nprovider: meta\n",
          "error: stdin:1:1: there is no agreement with meta in force yet, and a new one needs 'scope'"
        ),
        ("kind: model\nname: xai/b\n", "there is no model xai/b yet, and a new one needs 'task'"),
        (
          "kind: deployment\nname: b\n", "there is no deployment b yet, and a new one needs 'model'"
        ),
        (
          "kind: agreement\nprovider: xai\nfrom: 2025-06-01\n",
          "error: stdin:3:7: the beginning of the agreement with xai is 2025-05-01 and cannot become "
            + "2025-06-01\nhelp: leave 'from' out; another agreement can be signed once this one has "
            + "ended: wharf agreement terminate xai"
        ),
      ] {
        let ran = try await admin.wharf("apply", "-f", "-", input: new)
        #expect(ran.code == 1 && ran.err.contains(told), "\(ran)")
      }
    }

    @Test func `A list that takes all away is said on purpose, and a plan names what goes`()
      async throws
    {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      try await admin.does("apply", "-f", "-", input: team("grants: [{model: xai/grok-3}]\n"))
      for flags in [["--dry-run"], []] {
        let refused = try await Programs.run(
          "wharf", ["apply", "-f", "-"] + flags, environment: admin.environment,
          folder: admin.folder, input: team("grants:\n#  - {model: xai/grok-3}\n"))
        #expect(refused.code == 1, "\(refused)")
        #expect(
          refused.err.hasPrefix("error: stdin:4:8: grants: no list stands here: write [] if all"),
          "\(refused)")
      }
      let none = team("grants: []\n")
      let plan = try await admin.does("apply", "-f", "-", "--dry-run", input: none)
      #expect(plan.contains("team.revoke") && plan.contains("model=xai/grok-3"), "\(plan)")
      let json = try await admin.does(
        "apply", "-f", "-", "--dry-run", "-o", "json", input: none)
      #expect(json.contains(#""model": "xai/grok-3""#), "\(json)")
      let done = try await admin.does("apply", "-f", "-", input: none)
      #expect(done.contains("model=xai/grok-3"), "\(done)")
      #expect(try await admin.does("team", "show", "copilot").contains("revoked"))
    }

    @Test func `What another thing needs comes before it, wherever it stands`() async throws {
      let hosted = try Hosted()
      try await hosted.start()
      let admin = try hosted.admin()
      let wishes = [
        "kind: deployment\nname: grok\nmodel: xai/grok-3:1\n",
        "kind: team\nname: copilot\naudience: internal\ngrants:\n  - model: xai/grok-3\n",
        """
        kind: model
        name: xai/grok-3
        task: chat
        versions: [{version: 1, engine: sim, devices: 2, deviceMemory: 70GiB}]
        published: [{audience: internal, stage: preview}]

        """, Someone.engine + "\n",
        "kind: agreement\nprovider: xai\nscope: [inference]\naudiences: [internal]\nfrom: 2025-05-01\n",
        "kind: provider\nname: xai\n",
      ].joined(separator: "---\n")
      let dry = try await admin.does("apply", "-f", "-", "--dry-run", input: wishes)
      let done = try await admin.does("apply", "-f", "-", input: wishes)
      #expect(done == dry.replacing("would be ", with: ""), "\(dry)\n\(done)")
      // Nothing is there that would mend this one, so its own line is named.
      let wrong = try await admin.wharf(
        "apply", "-f", "-",
        input: "kind: team\nname: copilot\ngrants:\n  - model: xai/grok-3\n  - model: xai/none\n")
      #expect(wrong.err.hasPrefix("error: stdin:5:5: team copilot: there is no model"), "\(wrong)")
    }

    @Test func `All that is wrong with documents is told at once, and nothing is sent`()
      async throws
    {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      let head = try await admin.does("status", "-q")
      let ran = try await admin.wharf(
        "apply", "-f", "-",
        input: "kind: provider\nnaem: b\n---\nkind: team\nname: b c\nreplicas: 1\n")
      #expect(
        ran.err.hasPrefix(
          """
          error: stdin:2:1: naem: there is no field of this name here; did you mean 'name'?
          error: stdin:6:1: replicas: there is no field of this name here; there are kind, name, title, \
          audience, requestsPerMinute, tokensPerMinute, grants
          error: stdin:5:7: name: 'b c' is no name: use letters a-z, digits, '.', '_' and '-'
          help: 
          """), "\(ran)")
      #expect(try await admin.does("status", "-q") == head)
    }

    @Test func `A grant whose end has passed is no change, and stops nothing`() async throws {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      let past =
        team("grants: [{model: xai/grok-3, until: 2025-06-01}]\n") + "---\n"
        + "kind: provider\nname: later\n"
      let dry = try await admin.does("apply", "-f", "-", "--dry-run", input: past)
      #expect(dry.hasSuffix("2 would be done"), "\(dry)")
      let first = try await admin.does("apply", "-f", "-", input: past)
      #expect(first.contains("provider.register") && first.hasSuffix("2 done"), "\(first)")
      #expect(try await admin.does("apply", "-f", "-", input: past).hasSuffix("2 unchanged"))
      // What is granted now, and wanted only until then, is taken away.
      try await admin.does("team", "grant", "copilot", "xai/grok-3")
      let last = try await admin.does("apply", "-f", "-", input: past)
      #expect(last.contains("team.revoke"), "\(last)")
      #expect(try await admin.does("apply", "-f", "-", input: past).hasSuffix("2 unchanged"))
    }

    @Test func `A thing that is named twice is refused with both places, and nothing is sent`()
      async throws
    {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      let head = try await admin.does("status", "-q")
      for (text, told) in [
        (
          team("grants: [{model: xai/grok-3}, {model: XAI/grok-3, requestsPerMinute: 1}]\n"),
          "error: stdin:4:39: 'xai/grok-3' stands here twice"
        ),
        (
          team("") + "---\n" + team("requestsPerMinute: 5\n").replacing("copilot", with: "Copilot"),
          "error: stdin:5:1: team Copilot stands here a second time; the first is at stdin:1:1"
        ),
      ] {
        let ran = try await admin.wharf("apply", "-f", "-", input: text)
        #expect(ran.code == 1 && ran.err.hasPrefix(told), "\(ran)")
      }
      #expect(try await admin.does("status", "-q") == head)
    }

    @Test func `A version whose arguments are others is refused, also when its engine changed`()
      async throws
    {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      func model(_ more: String) -> String {
        "kind: model\nname: xai/grok-3\ntask: chat\nversions:\n  - {version: 2, engine: sim\(more)}\n"
      }
      let with = model(", arguments: [--load-seconds, '3']")
      try await admin.does("apply", "-f", "-", input: with)
      for changed in [false, true] {
        if changed {
          let engine = Someone.engine.replacing("--port,", with: "--quiet, --port,")
          try await admin.does("engine", "define", "-f", "-", input: engine)
        }
        #expect(try await admin.does("apply", "-f", "-", input: with).hasSuffix("1 unchanged"))
        let ran = try await admin.wharf("apply", "-f", "-", input: model(""))
        #expect(
          ran.code == 1 && ran.err.contains("version 2 of xai/grok-3 has other arguments"), "\(ran)"
        )
        #expect(ran.err.contains("help: add another version"), "\(ran)")
      }
    }

    @Test func `What is shown of an engine is what defines it`() async throws {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      for name in ["vllm", "sim"] {
        let shown = try await admin.does("engine", "show", name, "-o", "yaml")
        let again = try await admin.does("engine", "define", "-f", "-", input: shown)
        #expect(again.hasPrefix("unchanged"), "\(again)")
        #expect(try await admin.does("apply", "-f", "-", input: shown).hasSuffix("1 unchanged"))
      }
    }

    @Test func `Words that mislead the eye are refused at the door`() async throws {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      let flag = try await admin.wharf("provider", "register", "evil", "--name", "a\u{202E}b")
      #expect(flag.code == 2 && flag.err.contains("\\u{202E}"), "\(flag)")
      let document = "kind: provider\nname: evil\ntitle: \"a\\u200bb\"\n"
      let ran = try await admin.wharf("apply", "-f", "-", input: document)
      #expect(ran.code == 1 && ran.err.contains("misleads the eye"), "\(ran)")
      #expect(try await admin.does("provider", "list", "-q") == "xai")
    }

    @Test func `An address that does not speak TLS is told at once`() async throws {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      let ran = try await admin.wharf("status", "--api", "https://127.0.0.1:\(hosted.port)")
      #expect(ran.code == 3 && ran.err.contains("does not speak TLS"), "\(ran)")
    }

    @Test func `A list of marks is no mark, and an alias that is served by none is told`()
      async throws
    {
      let (hosted, admin) = try await prepared()
      defer { withExtendedLifetime(hosted) {} }
      try await admin.does("mark", "before")
      let list = try await admin.does("mark", "list")
      #expect(list.contains("before") && list.split(separator: "\n").count == 2, "\(list)")
      #expect(try await admin.does("mark") == list)
      let place = try await admin.wharf("mark", "place", "list")
      #expect(place.code == 2 && place.err.contains("is a verb"), "\(place)")
      let alias = try await admin.wharf("model", "alias", "xai/grok-3:1", "latest")
      #expect(
        alias.code == 0 && alias.err.contains("no deployment serves xai/grok-3:1"), "\(alias)")
      let late = try await admin.wharf("team", "revoke", "a", "b/c", "--timeout", "5s")
      #expect(late.code == 2 && late.err.contains("give --wait"), "\(late)")
    }
  }
}
