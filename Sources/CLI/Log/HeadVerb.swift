// `wharf head`: where the log ends, and its signature.

import ArgumentParser
import Hosting
import Wire

struct HeadVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "head", "Show where the log ends, or sign it.", example: "wharf head --sign > head.note",
    more: """
      A signed note proves to others what the log was: everything up to its position is fixed by its \
      hash. Keep notes apart from the system, and the key that verifies them: wharf head --key
      """)

  @Flag(help: "Print the head as a signed note.") var sign = false
  @Flag(help: "Print the key that verifies signed notes.") var key = false
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if sign || key, output.quiet || output.output != .table {
      throw ValidationError("--sign and --key print one form, which neither -o nor -q changes")
    }
    if sign, key { throw ValidationError("--sign prints a note, and --key a key: choose one") }
  }

  func run() async throws {
    let client = try Client(connection.connection())
    let body = try await client.get("head")
    let head = try Client.decode(ItemReply<HeadItem>.self, body).item
    if sign { return Terminal.say(String(head.note.dropLast())) }
    if key { return Terminal.say(head.key) }
    if let structured = try output.structured(body) { return Terminal.say(structured) }
    if output.quiet { return Terminal.say("\(head.position) \(head.hash)") }
    let details = Details(fields: [
      ("position", Cell("\(head.position)", .strong)), ("era", Cell("\(head.era)")),
      ("hash", Cell("\(head.hash)")), ("recorded", Cell(head.recordedAt.description)),
      ("key", Cell(head.key, .dim)),
    ])
    Terminal.say(details.lines(.current, fitting: false).joined(separator: "\n"))
  }
}
