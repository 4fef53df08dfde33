// An engine template as people write it in YAML (see Deploy/engines), and the command it stands for.
// wharfd reads its own templates with it, the CLI those of `wharf engine define -f`.

import Hosting
import Yams

package enum EngineTemplate {
  package struct Problem: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// Reads a template. `file` is for messages, which name line and column.
  package static func command(_ text: String, file: String) throws(Problem) -> DefineEngine {
    let form: Form
    do {
      form = try YAMLDecoder().decode(Form.self, from: text)
    } catch {
      throw Problem(description: "cannot read the engine template \(file): \(reason(error))")
    }
    do {
      var environment = form.environment ?? [:]
      if let variable = form.apiKey.environment { environment[variable] = "${engineKey}" }
      var command = form.command
      if let flag = form.apiKey.argument { command += [flag, "${engineKey}"] }
      return DefineEngine(
        launch: Launch(
          engine: try Name(form.name), command: command, environment: environment,
          readiness: Launch.Readiness(
            path: form.readiness.path, listsModel: form.readiness.mustListServedModel,
            periodMilliseconds: form.readiness.periodMilliseconds,
            deadlineSeconds: form.readiness.timeoutSeconds),
          stopGraceSeconds: form.stop.graceSeconds),
        tasks: form.endpoints)
    } catch {
      throw Problem(description: "cannot read the engine template \(file): \(error)")
    }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      "the field '\(path(context.codingPath + [key]))' is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "'\(path(context.codingPath))' is of another type: \(context.debugDescription)"
    case DecodingError.dataCorrupted(let context):
      context.underlyingError.map { "\($0)" } ?? context.debugDescription
    default: "\(error)"
    }
  }

  private static func path(_ keys: [any CodingKey]) -> String {
    keys.map(\.stringValue).joined(separator: ".")
  }

  private struct Form: Decodable {
    let name: String
    let command: [String]
    let environment: [String: String]?
    let apiKey: Key
    let readiness: Readiness
    let stop: Stop
    let endpoints: [ModelTask]

    struct Key: Decodable {
      let environment: String?
      let argument: String?
    }
    struct Readiness: Decodable {
      let path: String
      let mustListServedModel: Bool
      let periodMilliseconds: Int
      let timeoutSeconds: Int
    }
    struct Stop: Decodable { let graceSeconds: Int }
  }
}
