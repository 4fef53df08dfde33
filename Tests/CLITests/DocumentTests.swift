// Documents of `wharf apply`: what they become, and where they are wrong.

import Hosting
import Testing
import Wire

@testable import CLI

struct DocumentTests {
  private func parse(_ text: String) throws -> YAMLDocument {
    try #require(YAMLDocuments.parse(SourceText(name: "x.yaml", text: text)).first)
  }

  /// What is said of a text that is no scenario or wish.
  private func problem(_ text: String) -> String {
    do {
      let document = try parse(text)
      if document.text("scenario") != nil {
        _ = try Scenario(document)
      } else {
        _ = try Wish(document)
      }
      return "none"
    } catch let problem as DocumentProblem {
      return problem.description
    } catch {
      return "\(error)"
    }
  }

  @Test func `A scenario becomes commands, whose ids are for ever`() throws {
    let scenario = try Scenario(
      parse(
        """
        scenario: story
        steps:
          - step: register
            command: provider.register
            with: {name: 123, title: "4"}
          - step: sign
            command: agreement.sign
            reason: signed in Seattle
            with:
              provider: xai
              terms: {scope: [inference], audiences: [internal], from: 2025-05-01, noticeDays: 90}
          - step: version
            command: model.addVersion
            with:
              model: xai/grok-3:1
              engine: sim
              needs: {devices: 2, deviceMemory: 70GiB, cpuMillis: 500, memory: "1GiB"}
        """))
    let register = try #require(scenario.steps[0].command as? RegisterProvider)
    #expect(register.name.text == "123")
    #expect(register.title?.value == "4")
    let sign = try #require(scenario.steps[1].command as? SignAgreement)
    #expect(sign.terms.from == Timestamp("2025-05-01"))
    #expect(scenario.steps[1].reason?.value == "signed in Seattle")
    let version = try #require(scenario.steps[2].command as? AddModelVersion)
    #expect(version.needs.deviceMemory.count == 70 << 30)
    #expect(version.needs.memory.count == 1 << 30)
    #expect(
      scenario.commandID(scenario.steps[0]).description == "5200e9f0-3340-8ada-a9c8-361ceadbd120")
  }

  @Test func `Quantities may say their own unit, wherever a document is read`() throws {
    let scenario = try Scenario(
      parse(
        """
        scenario: units
        steps:
          - step: sign
            command: agreement.sign
            with:
              provider: xai
              terms: {scope: [inference], audiences: [internal], from: 2025-05-01, notice: 90d}
          - step: version
            command: model.addVersion
            with:
              model: xai/grok-3:1
              engine: sim
              needs: {devices: 2, deviceMemory: 70GB, cpu: 1.5, memory: 1024B}
        """))
    #expect((scenario.steps[0].command as? SignAgreement)?.terms.noticeDays == 90)
    let needs = try #require(scenario.steps[1].command as? AddModelVersion).needs
    #expect(needs.cpuMillis == 1_500)
    #expect(needs.deviceMemory.count == 70_000_000_000)
    #expect(needs.memory.count == 1_024)
  }

  @Test func `Scenario and step cannot be mistaken for two others`() {
    #expect(CommandID(scenario: "a", step: "bc") != CommandID(scenario: "ab", step: "c"))
    #expect(CommandID(scenario: "a", step: "b") == CommandID(scenario: "a", step: "b"))
  }

  @Test(arguments: [
    (
      "a: [1\n",
      "x.yaml:2:1: this is no YAML: did not find expected ',' or ']' while parsing a flow sequence"
    ),
    (
      "kind: Team\n  name: x\n",
      "x.yaml:2:7: this is no YAML: mapping values are not allowed in this context"
    ),
    (
      "kind: Team\nname: x\naudience: internal\ncolour: red\n",
      "x.yaml:4:1: colour: there is no field of this name here; there are kind, name, title, "
        + "audience, requestsPerMinute, tokensPerMinute, grants"
    ),
    (
      "kind: team\nname: x\ncolour: red\n",
      "x.yaml:3:1: colour: there is no field of this name here; there are kind, name, title, "
        + "audience, requestsPerMinute, tokensPerMinute, grants"
    ),
    (
      "kind: agreement\nprovder: x\nscope: [inferense]\nuntil: soon\nnoticDays: 3\ncolour: red\n",
      "x.yaml:2:1: provder: there is no field of this name here; did you mean 'provider'?\n"
        + "error: x.yaml:5:1: noticDays: there is no field of this name here; did you mean "
        + "'noticeDays'?\n"
        + "error: x.yaml:6:1: colour: there is no field of this name here; there are kind, provider, "
        + "scope, audiences, from, until, noticeDays\n"
        + "error: x.yaml:3:9: scope[0]: 'inferense' is not one of: inference, evaluation, fineTuning, "
        + "training\n"
        + "error: x.yaml:4:8: until: 'soon' is no date: write 2025-05-01 or 2025-05-01T10:30:00Z"
    ),
    (
      "kind: deployment\nname: x\nreplicas: null\nworkload:\n",
      "x.yaml:3:11: replicas: null removes, and this cannot be removed: leave the field out, and it "
        + "stays as it is\n"
        + "error: x.yaml:4:10: workload: null removes, and this cannot be removed: leave the field out, "
        + "and it stays as it is"
    ),
    ("kind: provider\nname: null\n", "x.yaml:2:7: name: expected a string, found null"),
    (
      "kind: Team\nname: x\naudience: both\n",
      "x.yaml:3:11: audience: 'both' is not one of: internal, external"
    ),
    (
      "kind: Team\nname: x\naudience: internal\ngrants:\n  - model: grok\n",
      "x.yaml:5:12: grants[0].model: 'grok' is no model: write PROVIDER/MODEL or PROVIDER/MODEL:VERSION"
    ),
    ("kind: Zebra\n", "x.yaml:1:7: there is no kind 'zebra' to apply"),
    (
      "kind: team\nname: x\naudiance: internal\n",
      "x.yaml:3:1: audiance: there is no field of this name here; did you mean 'audience'?"
    ),
    (
      "kind: team\nname: x\naudience: internal\ntitel: X\n",
      "x.yaml:4:1: titel: there is no field of this name here; did you mean 'title'?"
    ),
    (
      "kind: team\nname: x\naudience: internal\nrequestsPerMinute: 60m\n",
      "x.yaml:4:20: requestsPerMinute: '60m' is no count: write a whole number, without a unit or "
        + "quotes"
    ),
    (
      "kind: model\nname: a/b\ntask: chat\nversions:\n  - {version: 1, engine: sim, cpuMillis: 500m}\n",
      "x.yaml:5:42: versions[0].cpuMillis: '500m' is no count: write a whole number, without a unit or "
        + "quotes, or say the unit: cpu: 500m"
    ),
    (
      "kind: model\nname: a/b\ntask: chat\nversions:\n  - {version: 1, engine: sim, cpu: 2Gi}\n",
      "x.yaml:5:36: versions[0].cpu: '2Gi' is no amount of CPU: write 500m, 2 or 1.5"
    ),
    (
      "kind: model\nname: a/b\ntask: chat\nversions:\n  - {version: 1, engine: sim, cpu: 1, cpuMillis: 1}\n",
      "x.yaml:5:36: versions[0].cpu: 'cpu' and 'cpuMillis' say the same: write one of them"
    ),
    (
      "kind: model\nname: a/b\ntask: chat\nversions:\n  - {version: 1, engine: sim, memory: 80G}\n",
      "x.yaml:5:39: versions[0].memory: '80G' is no amount of memory: write 80GiB or 80GB"
    ),
    (
      "kind: model\nname: a/b\ntask: chat\nversions:\n  - {version: 1, engine: sim, memory: 80}\n",
      "x.yaml:5:39: versions[0].memory: '80' says no unit: write 80GiB, or 80B for so many bytes"
    ),
    (
      "kind: agreement\nprovider: x\nscope: []\naudiences: []\nfrom: 2025-01-01\nnotice: 36h\n",
      "x.yaml:6:9: notice: '36h' is no whole number of days, which is how it is kept"
    ),
    (
      "kind: deployment\nname: x\nmodel: a/b:1\nreplicas: 1.5\n",
      "x.yaml:4:11: replicas: expected a whole number, found 1.5"
    ),
    ("name: x\n", "x.yaml:1:1: a document has 'kind:' or 'scenario:'"),
    (
      "kind: provider\nname: a b\n",
      "x.yaml:2:7: name: 'a b' is no name: use letters a-z, digits, '.', '_' and '-'"
    ),
    ("kind: provider\nname:\n", "x.yaml:2:6: name: a name cannot be empty"),
    ("a: 1\na: 2\n", "x.yaml:2:1: this is no YAML: the field 'a' stands here twice"),
    (
      "kind: provider\nname: x\ntitle: y\nname: z\n",
      "x.yaml:4:1: this is no YAML: the field 'name' stands here twice"
    ),
    (
      "scenario: s\nsteps:\n  - step: a\n    with: {name: b}\n    step: b\n",
      "x.yaml:5:5: this is no YAML: the field 'step' stands here twice"
    ),
    (
      "{kind: team, name: copilot, name: x}\n",
      "x.yaml:1:29: this is no YAML: the field 'name' stands here twice"
    ),
    (
      "kind: team\ngrants: [{model: 'a, model: b', more: {model: c},\n  'model': d}]\n",
      "x.yaml:3:3: this is no YAML: the field 'model' stands here twice"
    ),
    (
      "scenario: s\nsteps:\n  - step: a\n    command: nope\n",
      "x.yaml:4:14: there is no command 'nope'"
    ),
    (
      "scenario: s\nsteps:\n  - step: a\n    command: provider.suspend\n    with: {name: xai}\n",
      "x.yaml:5:12: name: there is no field of this name here; there are provider\n"
        + "error: x.yaml:5:11: provider: the field is missing"
    ),
    (
      "scenario: s\nsteps:\n  - step: a\n    command: provider.suspend\n    with: {povider: xai}\n"
        + "  - step: b\n    command: nope\n",
      "x.yaml:5:12: povider: there is no field of this name here; did you mean 'provider'?\n"
        + "error: x.yaml:7:14: there is no command 'nope'"
    ),
    (
      "scenario: s\nsteps:\n  - step: a\n    command: provider.suspend\n",
      "x.yaml:4:14: provider.suspend needs fields: provider: the field is missing"
    ),
    (
      "scenario: s\nsteps:\n  - step: a\n    command: provider.suspend\n    with: {provider: xai}\n    because: x\n",
      "x.yaml:6:5: steps[0].because: there is no field of this name here; there are step, command, with, reason"
    ),
  ])
  func `A wrong document says where and why`(text: String, message: String) {
    #expect(problem(text) == message)
  }

  @Test(arguments: ["kind: team\nname: x\n", "{\"kind\": \"team\", \"name\": \"x\"}"])
  func `A byte order mark before a document says nothing`(text: String) throws {
    let wish = try parse("\u{FEFF}" + text).read(TeamWish.self)
    #expect(wish.name.text == "x")
  }

  @Test func `A step's name stands once in a scenario`() {
    let step = "  - step: a\n    command: provider.suspend\n    with: {provider: xai}\n"
    #expect(
      problem("scenario: s\nsteps:\n\(step)\(step)")
        == "x.yaml:6:11: the step 'a' stands here twice")
  }

  @Test func `Aliases that multiply are stopped`() {
    var text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
    for level in 1...8 {
      let many = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",")
      text += "a\(level): &a\(level) [\(many)]\n"
    }
    #expect(problem(text + "kind: team\n").hasSuffix("the document has more than 200000 values"))
  }

  @Test func `A team's wish sends what is missing and revokes what is not listed`() throws {
    let wish = try parse(
      """
      kind: Team
      name: copilot
      audience: internal
      grants:
        - {model: xai/grok-3, requestsPerMinute: 600}
        - {model: meta/llama}
      """
    ).read(TeamWish.self)
    let now = try Client.decode(
      TeamItem.self,
      Array(
        #"{"id":"team/9","name":"copilot","title":"c","audience":"internal","keys":0,"registeredAt":"2025-05-01","endedGrants":[],"grants":[{"model":"xai/grok-3","workload":"inference","requestsPerMinute":600,"grantedAt":"2025-05-01"},{"model":"old/one","workload":"inference","grantedAt":"2025-05-01"}]}"#
          .utf8))
    let commands = try wish.steps(now).map(\.command)
    #expect(commands.map { type(of: $0).type } == ["team.grant", "team.revoke"])
    #expect((commands[0] as? GrantAccess)?.model.key == "meta/llama")
    #expect((commands[1] as? RevokeAccess)?.model.key == "old/one")
    #expect(
      try wish.steps(nil).map { type(of: $0.command).type } == [
        "team.register", "team.grant", "team.grant",
      ])
  }
}
