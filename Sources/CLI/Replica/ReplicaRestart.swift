// `wharf replica restart`

import ArgumentParser
import Hosting
import Time
import Wire

struct ReplicaRestart: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "restart",
    "Stop what runs of a replica, and place it again; one that backs off is tried at once.",
    example: "wharf replica restart grok-1 --wait",
    more: """
      Earlier failures no longer count. The engine gets its time to stop; unless its deployment is \
      exclusive, the next one starts as soon as there is a place for it.
      """)

  @Argument(help: "As grok-1.") var replica: String
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func validate() throws { _ = try parts() }

  private func parts() throws -> (deployment: Name, number: Int) {
    guard let dash = replica.lastIndex(of: "-"), let name = try? Name(String(replica[..<dash])),
      let number = Int(replica[replica.index(after: dash)...]), number > 0
    else {
      throw ValidationError(
        "'\(replica.shortened(to: 80))' names no replica: write DEPLOYMENT-NUMBER, as grok-1")
    }
    return (name, number)
  }

  func command() -> any Command {
    guard let (deployment, number) = try? parts() else {
      preconditionFailure("'\(replica)' was validated")
    }
    return RestartReplica(deployment: deployment, number: number)
  }

  var done: String { "restarted \(replica)" }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    let began = clocks.now
    let reply = try await say(client)
    if waiting.wait, reply.dryRun != true {
      try await Readiness.wait(
        forReplica: replica, of: parts().deployment, since: began, client, waiting, sending.output)
    }
  }
}
