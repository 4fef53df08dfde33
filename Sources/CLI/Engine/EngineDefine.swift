// `wharf engine define`

import ArgumentParser
import Hosting

struct EngineDefine: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "define", "Define an engine, or anew; versions added before keep what they copied.",
    example: "wharf engine define -f vllm.yaml",
    more: """
      The file holds 'tasks' and 'launch' with engine, command, environment, readiness (path, \
      listsModel, periodMilliseconds, deadlineSeconds) and stopGraceSeconds. Placeholders: \
      ${host} ${port} ${servedModelName} ${deviceCount} ${contextLength} ${modelPath} ${engineKey}.
      """)

  @Option(name: .shortAndLong, help: "YAML or JSON; - reads stdin.") var file: String
  @OptionGroup var sending: SendOptions

  func command() throws -> any Command {
    let source = try SourceFile.read(file)
    let documents = try YAMLDocuments.parse(source)
    guard let document = documents.first, documents.count == 1 else {
      throw source.failure("expected one document, found \(documents.count)")
    }
    return try document.read(DefineEngine.self)
  }

  var done: String { "defined the engine in \(file)" }
}
