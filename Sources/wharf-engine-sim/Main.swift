// Entry point of the simulated engine; see the module EngineSim.

import ArgumentParser
import EngineSim

@main
struct Main {
  static func main() async { await EngineSimCommand.main() }
}
