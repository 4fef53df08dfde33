// `wharf key rotate`

import ArgumentParser
import Hosting
import Wire

struct KeyRotate: SecretVerb {
  static let standardGraceHours = 24
  private static let hourSeconds = 3_600

  static let configuration = CommandConfiguration.verb(
    "rotate", "Give a key a new secret; the old one stays good for a while.",
    example: "wharf key rotate copilot --name laptop --grace-hours 24")

  static let use = Secret.Use.apiKey

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Option(help: "What the key is called.", transform: Parse.name) var name: Name
  @Option(help: "How long the old secret stays good.") var graceHours = Self.standardGraceHours
  @OptionGroup var sending: SendOptions

  func validate() throws {
    let most = RotateKey.longestGraceSeconds / Self.hourSeconds
    if !(0...most).contains(graceHours) {
      throw ValidationError("--grace-hours is 0 to \(most)")
    }
  }

  func command(_ secret: Secret) -> any Command {
    RotateKey(
      team: team, name: name, secret: secret.digest, prefix: secret.shownPrefix,
      graceSeconds: graceHours * Self.hourSeconds)
  }

  var done: String { "rotated key \(name) of \(team); the old secret is good for \(graceHours) h" }
}
