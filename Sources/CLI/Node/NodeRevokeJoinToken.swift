// `wharf node revoke-join-token`

import ArgumentParser
import Hosting

struct NodeRevokeJoinToken: CommandVerb {
  static let configuration = CommandConfiguration.verb(
    "revoke-join-token", "Let nobody join with a token that was given out.",
    example: "wharf node revoke-join-token node/20")

  @Argument(help: "Its id, as wharf node join-tokens shows.", transform: Parse.joinToken)
  var id: ID<Node>
  @OptionGroup var sending: SendOptions

  func command() -> any Command { RevokeJoinToken(joinToken: id) }
  var done: String { "revoked join token \(id)" }
}
