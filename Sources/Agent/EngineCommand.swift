// From a launch and what only the agent knows (host, port) to the arguments and environment of an
// engine. Pure. The environment is clean: nothing of the agent's own gets in unasked.

import Hosting
import Wire

package struct EngineCommand: Equatable, Sendable {
  package var arguments: [String]
  package var environment: [String: String]

  /// What every engine gets of the agent's environment: `PATH`, `HOME`, `LANG`.
  package struct Base: Equatable, Sendable {
    package var path: String
    package var home: String
    package var language: String
    package init(path: String, home: String, language: String) {
      self.path = path
      self.home = home
      self.language = language
    }
  }

  package struct Problem: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// - Throws: when the launch asks for what the attempt does not have.
  package init(
    _ attempt: AssignedAttempt, host: String, port: Int, base: Base
  ) throws(Problem) {
    guard let program = attempt.launch.command.first, !program.isEmpty else {
      throw Problem(description: "the template of engine \(attempt.launch.engine) has no command")
    }
    let values = Self.values(attempt, host: host, port: port)
    arguments = []
    for argument in attempt.launch.command
    where !(argument.hasPrefix("-") && Self.lacksValue(argument, values)) {
      arguments.append(try Self.fill(argument, values, attempt.launch.engine))
    }
    environment = ["PATH": base.path, "HOME": base.home, "LANG": base.language]
    for (name, value) in attempt.launch.environment where !Self.lacksValue(value, values) {
      environment[name] = try Self.fill(value, values, attempt.launch.engine)
    }
    // Simulated devices have no index in CUDA; an engine without devices must see none either.
    let real = attempt.devices.filter { !$0.hasPrefix(DeviceFacts.simulatedPrefix) }
    environment["CUDA_VISIBLE_DEVICES"] = real.joined(separator: ",")
    environment["WHARF_DEVICES"] = attempt.devices.joined(separator: ",")
    environment["WHARF_REPLICA"] = attempt.id.replica.description
    environment[Self.attemptVariable] = attempt.id.description
  }

  /// Says of a process which attempt it belongs to.
  package static let attemptVariable = "WHARF_ATTEMPT"

  /// Every placeholder, with its value or why there is none.
  private static func values(
    _ attempt: AssignedAttempt, host: String, port: Int
  ) -> [String: Result<String, Problem>] {
    func known(_ value: (some CustomStringConvertible)?, _ what: String)
      -> Result<String, Problem>
    {
      guard let value else { return .failure(Problem(description: "the model states no \(what)")) }
      return .success(value.description)
    }
    return [
      "host": .success(host), "port": .success(String(port)),
      "servedModelName": .success(attempt.servedModelName),
      // No engine takes "in parallel over none".
      "deviceCount": known(attempt.devices.isEmpty ? nil : attempt.devices.count, "devices"),
      "contextLength": known(attempt.contextLength, "context length"),
      "modelPath": known(attempt.modelPath, "path of its weights"),
      "engineKey": .success(attempt.engineKey.secret),
    ]
  }

  /// Whether it names a placeholder that this attempt has no value for. An option in one word
  /// (`--max-model-len=${contextLength}`) and a variable are then left out whole.
  private static func lacksValue(
    _ text: String, _ values: [String: Result<String, Problem>]
  ) -> Bool {
    values.contains { name, value in
      guard case .failure = value else { return false }
      return text.contains("${\(name)}")
    }
  }

  private static func fill(
    _ text: String, _ values: [String: Result<String, Problem>], _ engine: Name
  ) throws(Problem) -> String {
    var filled = ""
    var rest = text[...]
    while let open = rest.firstRange(of: "${") {
      filled += rest[..<open.lowerBound]
      rest = rest[open.upperBound...]
      guard let close = rest.firstIndex(of: "}") else {
        throw Problem(description: "the template of engine \(engine) has a '${' without its '}'")
      }
      let name = String(rest[..<close])
      switch values[name] {
      case .success(let value): filled += value
      case .failure(let problem):
        throw Problem(
          description: "the template of engine \(engine) asks for ${\(name)}, and \(problem)")
      case nil:
        let known = values.keys.sorted().joined(separator: ", ")
        throw Problem(
          description: "the template of engine \(engine) asks for ${\(name.shortened(to: 40))}, "
            + "which is none of: \(known)")
      }
      rest = rest[rest.index(after: close)...]
    }
    return filled + rest
  }
}

extension DeviceFacts {
  /// Ids of devices that are only counted, not there: `sim-0`.
  package static let simulatedPrefix = "sim-"
}
