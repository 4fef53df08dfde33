// `wharf key show`

import ArgumentParser
import Hosting
import Wire

struct KeyShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "show", "Show one key, and which of its secrets are good until when.",
    example: "wharf key show copilot --name laptop")

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Option(help: "What the key is called.", transform: Parse.name) var name: Name
  @OptionGroup var reading: ReadOptions

  func run() async throws {
    let path = "teams/\(PathName.encoded(team.text))/keys/\(PathName.encoded(name.text))"
    try await reading.show(path) { body, terminal in
      let reply = try Client.decode(ItemReply<KeyItem>.self, body)
      return KeyNoun.show(reply.item, reading.output, terminal)
    }
  }
}
