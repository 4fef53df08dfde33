// `wharf token list`

import ArgumentParser
import Hosting
import Wire

struct TokenList: AsyncParsableCommand {
  private typealias Things = TokenNoun
  static let configuration = CommandConfiguration.verb(
    "list", "List your tokens, or, for admins, those of others.",
    example: "wharf token list --person ada",
    more:
      "LAST USED is what the wharfd that was asked saw since it started; another one may have seen "
      + "a token later.")

  @Option(help: "Whose tokens, if not yours.", transform: Parse.thing) var person: ThingName?
  @Flag(help: "Everybody's.") var everybody = false
  @OptionGroup var reading: ReadOptions

  func validate() throws {
    if person != nil, everybody {
      throw ValidationError("--person names one, and --everybody means all: choose one")
    }
  }

  private var path: String {
    person.map { "\(PersonNoun.path)/\($0.inPath)/\(Things.path)" } ?? Things.path
  }

  func run() async throws {
    try await reading.show(path, everybody ? [("everybody", "true")] : []) { body, terminal in
      let reply = try Client.decode(ItemsReply<TokenItem>.self, body)
      return Things.list(reply.items, reading.output, terminal)
    }
  }
}
