// `wharf team register`

import ArgumentParser
import Hosting

struct TeamRegister: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "register", "Make a team known.", example: "wharf team register copilot --audience internal")

  @Argument(help: "The name that commands call it.", transform: Parse.name) var team: Name
  @Option(help: "internal or external.") var audience: Audience
  @Option(help: "How people read it.", transform: Parse.text) var name: Text?
  @OptionGroup var sending: SendOptions

  func command() -> any Command { RegisterTeam(name: team, title: name, audience: audience) }
  var done: String { "registered team \(team)" }
}
