// `wharf key rotate`

import ArgumentParser
import Hosting
import Program
import Wire

struct KeyRotate: SecretVerb {
  static let configuration = CommandConfiguration.verb(
    "rotate", "Give a key a new secret; the old one stays good for a while.",
    example: "wharf key rotate copilot --name laptop --grace 24h",
    more:
      "While the old one is good there is no other rotation: a key has two secrets at most, and what "
      + "was promised is kept. --end-previous-now takes the promise back.")

  static let use = Secret.Use.apiKey

  @Argument(help: "The team.", transform: Parse.name) var team: Name
  @Option(help: "What the key is called.", transform: Parse.name) var name: Name
  @Option(
    name: [.customLong("grace"), .customLong("grace-hours")],
    help: ArgumentHelp(
      "How long the old secret stays good; \(Lengths.bounds(.seconds, in: 0...RotateKey.longestGraceSeconds)), "
        + "24h when absent.", valueName: "time"),
    transform: Lengths.whole(.seconds, in: 0...RotateKey.longestGraceSeconds))
  var grace = Span(24, .hours)
  @Flag(help: "End the secret before the last rotation now, though it was to be good for longer.")
  var endPreviousNow = false
  @OptionGroup var sending: SendOptions

  func command(_ secret: Secret) throws -> any Command {
    try RotateKey(
      team: team, name: name, secret: secret.digest, prefix: secret.shownPrefix,
      graceSeconds: grace.whole(.seconds), endPreviousNow: endPreviousNow ? true : nil)
  }

  var done: String { "rotated key \(name) of \(team)" }

  func done(_ reply: CommandReply) -> String {
    let rotated = reply.events.first { $0.type == KeyRotated.type }
    guard let event = rotated.flatMap({ try? KeyRotated(jsonBytes: $0.data.text) }) else {
      return done
    }
    return "\(done); the old secret is good until \(event.previousUntil.short)"
  }

  func amends(_ made: Stream?) -> String {
    "the old one still works for its while; in its place issue another key, or give this one another "
      + "secret now: wharf key rotate \(team) --name \(name) --end-previous-now"
  }
}
