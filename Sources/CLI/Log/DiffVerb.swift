// `wharf diff`: what changed between two moments.

import ArgumentParser
import Hosting
import Wire

struct DiffVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "diff", "Show what changed between two moments.", example: "wharf diff --from before-revoke")

  @Option(help: "A position, time or mark.") var from: String
  @Option(help: "A position, time or mark; now when absent.") var to: String?
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if from.isEmpty || to?.isEmpty == true {
      throw ValidationError("--from and --to need a position, a time or a mark")
    }
  }

  func run() async throws {
    let client = try Client(connection.connection())
    let body = try await client.get(
      "diff", [("from", from)] + (to.map { [("to", $0)] } ?? []))
    if let structured = try output.structured(body) { return Terminal.say(structured) }
    let reply = try Client.decode(ItemsReply<DiffItem>.self, body)
    Terminal.say(DiffText.render(reply.items, output, .current))
  }
}

enum DiffText {
  static func render(_ items: [DiffItem], _ output: OutputOptions, _ terminal: Terminal) -> String {
    if output.quiet { return items.map { "\($0.kind)/\($0.name)" }.joined(separator: "\n") }
    if items.isEmpty { return "no difference" }
    return items.flatMap { lines($0, terminal) }.joined(separator: "\n")
  }

  private static func lines(_ item: DiffItem, _ terminal: Terminal) -> [String] {
    let name = "\(item.kind) \(item.name)"
    switch item.change {
    case .added: return [Tint.good.applied(to: "+ \(name)", terminal)]
    case .removed: return [Tint.bad.applied(to: "- \(name)", terminal)]
    case .changed:
      let fields = item.fields.map { "    \(field($0))" }
      return [Tint.warning.applied(to: "~ \(name)", terminal)] + fields
    }
  }

  private static func field(_ field: DiffItem.Field) -> String {
    switch (field.from, field.to) {
    case (let from?, let to?):
      // Times may differ by less than people write.
      plain(from) == plain(to)
        ? "\(field.field): \(exact(from)) → \(exact(to))"
        : "\(field.field): \(plain(from)) → \(plain(to))"
    case (nil, let to?): "\(field.field): + \(plain(to))"
    case (let from?, nil): "\(field.field): - \(plain(from))"
    case (nil, nil): field.field
    }
  }

  private static func exact(_ json: RawJSON) -> String {
    Misleading.shown(String(decoding: json.text, as: UTF8.self))
  }

  /// Objects as `field=value`, so that a grant fits on a line.
  private static func plain(_ json: RawJSON) -> String {
    guard let value = try? json.value else { return "" }
    guard json.text.first == UInt8(ascii: "{"), let fields = try? value.fields() else {
      return EventText.plain(value)
    }
    return fields.map { "\($0.key)=\(EventText.plain($0.value))" }.joined(separator: " ")
  }
}
