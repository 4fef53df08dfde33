// `wharf gateway register`

import ArgumentParser
import Hosting
import Wire

struct GatewayRegister: SecretVerb {
  static let configuration = CommandConfiguration.verb(
    "register", "Make a gateway known; prints the credential that it presents.",
    example: "wharf gateway register edge-1 -q > credential")

  static let use = Secret.Use.gateway

  @Argument(help: "What it is called.", transform: Parse.name) var name: Name
  @OptionGroup var sending: SendOptions

  func command(_ secret: Secret) -> any Command {
    RegisterGateway(name: name, credential: secret.digest)
  }

  var done: String { "registered gateway \(name)" }

  func amends(_ made: Stream?) -> String { "wharf gateway remove \(name)" }
}
