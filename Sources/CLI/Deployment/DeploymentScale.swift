// `wharf deployment scale`

import ArgumentParser
import Hosting
import Time
import Wire

struct DeploymentScale: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "scale", "Change how many replicas there are.",
    example: "wharf deployment scale grok --replicas 4 --wait")

  @Argument(help: "The deployment.", transform: Parse.name) var name: Name
  @Option(help: "How many.") var replicas: Int
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func validate() throws {
    try Parse.check(replicas, in: 0...CreateDeployment.mostReplicas, "--replicas")
  }

  func command() -> any Command { ScaleDeployment(deployment: name, replicas: replicas) }
  var done: String { "scaled deployment \(name) to \(replicas)" }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    let began = clocks.now
    let reply = try await say(client)
    if waiting.wait, reply.dryRun != true {
      try await Readiness.wait(for: name, since: began, client, waiting, sending.output)
    }
  }
}
