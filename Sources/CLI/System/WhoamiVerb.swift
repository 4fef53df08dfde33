// `wharf whoami`: whose token is used, and where.

import ArgumentParser
import Hosting
import Wire

struct WhoamiVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "whoami", "Say whose token is used, and at which API.", example: "wharf whoami")

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let client = try Client(connection.connection())
    let body = try await client.get("whoami")
    if let structured = try output.structured(body) { return Terminal.say(structured) }
    let you = try Client.decode(ItemReply<WhoamiItem>.self, body).item
    Terminal.say(
      output.quiet
        ? you.id : "\(you.name) (\(you.role.rawValue), \(you.id)) at \(client.connection.api)")
  }
}
