// Entry point of the simulated engine; see the module EngineSim.

import EngineSim

@main
struct Main {
  static func main() async {
    await EngineSimCommand.run(arguments: Array(CommandLine.arguments.dropFirst()))
  }
}
