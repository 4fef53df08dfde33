// Engine templates: what is shipped, what is shown and what is read are one form.

import EngineTemplates
import Hosting
import Testing
import Wire

@testable import CLI

struct EngineTemplateTests {
  private func problem(_ text: String) -> String {
    do {
      _ = try EngineTemplate(text, file: "x.yaml")
      return "none"
    } catch {
      return error.description
    }
  }

  @Test(arguments: EngineTemplates.all.map(\.file))
  func `What is shown of a shipped template is a template, and the same`(file: String) throws {
    let text = try #require(EngineTemplates.all.first { $0.file == file }).text
    let template = try EngineTemplate(text, file: file)
    let define = template.define
    #expect(file == "\(template.name).yaml")
    #expect(define.launch.liveness != nil && define.launch.waits != nil)
    let shown = try Structure.yaml(EngineTemplate(define.launch, tasks: define.tasks).jsonBytes)
    let again = try EngineTemplate(shown, file: "shown.yaml")
    #expect(again.define == define)
    #expect(try Structure.yaml(again.jsonBytes) == shown)
    // JSON is YAML.
    let json = try Structure.json(again.jsonBytes)
    #expect(try EngineTemplate(json, file: "shown.json").define == define)
  }

  private static let sim = EngineTemplates.all[0].text

  @Test(arguments: [
    (
      "liveness:\n", "livenes:\n",
      ":22:1: livenes: there is no field of this name here; did you mean 'liveness'?"
    ),
    (
      "  listsModel: true\n", "  listsModels: true\n",
      ":19:3: readiness.listsModels: there is no field of this name here; did you mean 'listsModel'?"
    ),
    (
      "  failures: 5\n", "  failures: 5\n  status: 200\n",
      ":26:3: liveness.status: there is no field of this name here; there are path, periodSeconds, "
        + "failures, graceSeconds, request"
    ),
    (
      "  deadlineSeconds: 120\n", "  deadlineSeconds: 2m\n",
      ":21:20: readiness.deadlineSeconds: '2m' is no count: write a whole number, without a unit or "
        + "quotes, or say the unit: deadline: 30s"
    ),
    ("kind: engine\n", "", ":1:1: this is no engine template: it begins with 'kind: engine'"),
    ("kind: engine\n", "launch: {}\n", ":1:1: this is how templates were written before"),
  ])
  func `A template that says something else is refused, with its place`(
    part: String, other: String, problem: String
  ) {
    #expect(Self.sim.contains(part))
    let found = self.problem(Self.sim.replacing(part, with: other))
    #expect(
      found.hasSuffix(problem.split(separator: ": ").dropFirst().joined(separator: ": ")),
      "\(found)")
  }

  @Test func `Lengths of time may say their own unit`() throws {
    let text = Self.sim.replacing("deadlineSeconds: 120", with: "deadline: 2m")
      .replacing("periodMilliseconds: 100", with: "period: 1s")
      .replacing("wholeSeconds: 3600", with: "whole: 1h")
    let launch = try EngineTemplate(text, file: "x.yaml").define.launch
    #expect(launch.readiness.deadlineSeconds == 120)
    #expect(launch.readiness.periodMilliseconds == 1_000)
    #expect(launch.waits?.wholeSeconds == 3_600)
  }
}
