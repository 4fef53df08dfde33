// `wharf team show`

import ArgumentParser
import Hosting
import Wire

struct TeamShow: ShowVerb {
  typealias Things = TeamNoun
  static let configuration = CommandConfiguration.verb(
    "show", "Show a team with its grants, ended ones too, and what is left of its limits.",
    example: "wharf team show copilot --as-of before-revoke")

  @Argument(help: "Name or id.", transform: Parse.thing) var name: ThingName
  @OptionGroup var reading: ReadOptions

  func read(_ client: Client, _ path: String, _ query: [(String, String)]) async throws -> [UInt8] {
    let body = try await client.get(path, query)
    // What gateways say is of now, and of no log. A leader that cannot say it is no reason to show nothing.
    guard reading.asOf == nil,
      let limits = await client.signals(ItemsReply<LimitItem>.self, "\(path)/limits")
    else { return body }
    var reply = try Client.decode(ItemReply<TeamItem>.self, body)
    reply.item.limits = limits.items
    return reply.jsonBytes
  }
}
