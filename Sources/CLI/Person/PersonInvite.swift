// `wharf person invite`

import ArgumentParser
import Hosting
import Wire

struct PersonInvite: SecretVerb {
  static let configuration = CommandConfiguration.verb(
    "invite", "Invite a person; prints the invitation that lets them log in.",
    example: "wharf person invite ada --role operator",
    more:
      "An invitation is good for \(InvitePerson.validHours) hours and once; a later one replaces it. "
      + "Inviting a known person anew changes the role, and lets them make another token. A lost token "
      + "stays good until it is revoked: wharf token revoke NAME --person PERSON.")

  enum PersonRole: String, CaseIterable, ExpressibleByArgument { case admin, `operator`, viewer }

  static let use = Secret.Use.invitation

  @Argument(help: "The person's name.", transform: Parse.name) var name: Name
  @Option(help: "What they may do: admin, operator or viewer.") var role: PersonRole
  @Option(help: "Where to write to them.", transform: Parse.email) var email: Email?
  @OptionGroup var sending: SendOptions

  func command(_ secret: Secret) -> any Command {
    let role: Role =
      switch self.role {
      case .admin: .admin
      case .operator: .operator
      case .viewer: .viewer
      }
    return InvitePerson(name: name, email: email, role: role, invitation: secret.digest)
  }

  var done: String { "invited \(name) as \(role.rawValue)" }

  func amends(_ made: Stream?) -> String {
    "another invitation replaces it: wharf person invite \(name) --role \(role.rawValue)"
  }
}
