// `wharf engine define`

import ArgumentParser
import Hosting
import Program
import Wire

struct EngineDefine: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "define", "Define an engine, or anew; versions added before keep what they copied.",
    example: "wharf engine define -f Deploy/engines/vllm.yaml",
    more: """
      The file is what 'wharf engine show NAME -o yaml' prints, and what Deploy/engines holds; its \
      README says what each field means. Placeholders: ${host} ${port} ${servedModelName} \
      ${deviceCount} ${contextLength} ${modelPath} ${engineKey}.
      """)

  @Option(name: .shortAndLong, help: "YAML or JSON; - reads stdin.", transform: Paths.named)
  var file: String
  @OptionGroup var sending: SendOptions

  func command() throws -> any Command {
    let source = try SourceFile.read(file)
    return try EngineTemplate(source.text, file: source.name).define
  }

  var done: String { "defined the engine in \(file)" }
}
