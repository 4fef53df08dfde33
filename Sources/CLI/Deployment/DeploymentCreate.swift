// `wharf deployment create`

import ArgumentParser
import Hosting
import Time
import Wire

struct DeploymentCreate: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "create", "Serve a model version with so many replicas.",
    example: "wharf deployment create grok --model xai/grok-3:1 --replicas 2 --wait",
    more: "With --wait it returns when all replicas are ready.")

  @Argument(help: "What the deployment is called.", transform: Parse.name) var name: Name
  @Option(help: "PROVIDER/MODEL:VERSION", transform: Parse.version) var model: ModelReference
  @Option(help: "How many.") var replicas = 1
  @Option(help: "What it is run for; inference when absent.") var workload: Workload?
  @Flag(help: "Stop replicas whose node is silent, and replace them only once it is lost.")
  var exclusive = false
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func validate() throws {
    try Parse.check(replicas, in: 0...CreateDeployment.mostReplicas, "--replicas")
  }

  func command() -> any Command {
    CreateDeployment(
      name: name, model: model, replicas: replicas, workload: workload,
      exclusive: exclusive ? true : nil)
  }

  var done: String { "created deployment \(name)" }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    let began = clocks.now
    let reply = try await say(client)
    if waiting.wait, reply.dryRun != true {
      try await Readiness.wait(for: name, since: began, client, waiting, sending.output)
    }
  }
}
