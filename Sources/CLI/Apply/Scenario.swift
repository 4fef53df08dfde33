// `scenario:` documents: commands in order. Their ids derive from scenario and step, so a second
// apply returns the first results.

import Hosting
import Wire
import Yams

struct Scenario {
  struct Step {
    let name: String
    let command: any Command
    let reason: Text?
    let mark: Yams.Mark?
  }

  let name: String
  let steps: [Step]

  private struct Form: JSONRecord {
    struct Step: Codable {
      let step: Text
      let command: String
      let with: RawJSON?
      let reason: Text?
    }

    let scenario: Text
    let description: String?
    let steps: [Step]
  }

  init(_ document: YAMLDocument) throws(DocumentProblem) {
    let form = try document.read(Form.self)
    var names: Set<String> = []
    steps = try DocumentProblem.gather(Array(form.steps.enumerated())) {
      (numbered) throws(DocumentProblem) -> Step in
      let (index, step) = numbered
      let path = "steps[\(index)]"
      guard names.insert(step.step.value).inserted else {
        throw document.source.problem(
          "the step '\(step.step)' stands here twice", at: document.mark("\(path).step"),
          help: "the name of a step is what its command is known by: give it another")
      }
      guard let type = CommandTypes.named(step.command) else {
        throw document.source.problem(
          "there is no command '\(step.command.shortened(to: 60))'",
          at: document.mark("\(path).command"), help: "commands are named as provider.register")
      }
      return Step(
        name: step.step.value,
        command: try document.command(type, at: path, hasFields: step.with != nil),
        reason: step.reason, mark: document.mark(path))
    }
    name = form.scenario.value
  }

  func commandID(_ step: Step) -> CommandID { CommandID(scenario: name, step: step.name) }
}

extension YAMLDocument {
  /// The command of the step at a path: its fields stand under `with`, if it has any.
  func command<C: Command>(
    _ type: C.Type, at step: String, hasFields: Bool
  ) throws(DocumentProblem) -> C {
    if hasFields { return try read(type, at: "\(step).with") }
    do { return try C(jsonBytes: Array("{}".utf8)) } catch {
      throw source.problem(
        "\(type.type) needs fields: \(error)", at: mark("\(step).command"),
        help: "write them under 'with:'")
    }
  }
}
