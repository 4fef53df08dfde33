// `wharf deployment delete`

import ArgumentParser
import Hosting
import Time
import Wire

struct DeploymentDelete: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "delete", "Stop a deployment's replicas; it is gone when the last has ended.",
    example: "wharf deployment delete grok --wait")

  @Argument(help: "The deployment.", transform: Parse.name) var name: Name
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func command() -> any Command { DeleteDeployment(deployment: name) }
  var done: String { "deleted deployment \(name)" }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    let began = clocks.now
    let reply = try await say(client)
    if waiting.wait, reply.dryRun != true {
      try await Readiness.waitUntilGone(name, since: began, client, waiting, sending.output)
    }
  }
}
