// `wharf team revoke`

import ArgumentParser
import Glibc
import Hosting
import Wire

struct TeamRevoke: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "revoke", "Take a team's access to a model away.",
    example: "wharf team revoke copilot xai/grok-3 --wait",
    more: "With --wait it returns when every gateway enforces it, or serves nothing any more.")

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Argument(help: "PROVIDER/MODEL", transform: Parse.model) var model: ModelReference
  @OptionGroup var sending: SendOptions
  @OptionGroup var waiting: WaitOptions

  func command() -> any Command { RevokeAccess(team: team, model: model) }
  var done: String { "revoked \(team)'s access to \(model)" }

  func run() async throws {
    let client = try Client(sending.connection.connection())
    let began = ContinuousClock.now
    let reply = try await say(client)
    if waiting.wait, reply.dryRun != true {
      try await Enforcement.wait(for: reply.position, since: began, client, waiting, sending.output)
    }
  }
}
