// `wharf key rotate`

import ArgumentParser
import Hosting
import Wire

struct KeyRotate: SecretVerb {
  static let standardGraceHours = 24
  private static let hourSeconds = 3_600

  static let configuration = CommandConfiguration.verb(
    "rotate", "Give a key a new secret; the old one stays good for a while.",
    example: "wharf key rotate copilot --name laptop --grace-hours 24",
    more:
      "While the old one is good there is no other rotation: a key has two secrets at most, and what "
      + "was promised is kept. --end-previous-now takes the promise back.")

  static let use = Secret.Use.apiKey

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Option(help: "What the key is called.", transform: Parse.name) var name: Name
  @Option(help: "How long the old secret stays good.") var graceHours = Self.standardGraceHours
  @Flag(help: "End the secret before the last rotation now, though it was to be good for longer.")
  var endPreviousNow = false
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
      graceSeconds: graceHours * Self.hourSeconds, endPreviousNow: endPreviousNow ? true : nil)
  }

  var done: String { "rotated key \(name) of \(team)" }

  func done(_ reply: CommandReply) -> String {
    let rotated = reply.events.first { $0.type == KeyRotated.type }
    guard let event = rotated.flatMap({ try? KeyRotated(jsonBytes: $0.data.text) }) else {
      return done
    }
    return "\(done); the old secret is good until \(event.previousUntil.short)"
  }
}
