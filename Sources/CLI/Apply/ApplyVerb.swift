// `wharf apply`: documents of commands and of wanted things, which may be applied again and again.

import ArgumentParser
import Hosting
import Wire
import Yams

struct ApplyVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "apply", "Do what documents say; applying them again changes nothing.",
    example: "wharf apply -f seeds/story.yaml",
    more: """
      A document is 'scenario: NAME' with 'steps:' (step, command, with, reason), or one wanted \
      thing: 'kind:' provider, agreement, model, team or deployment. A team's 'grants:' are all it \
      is to have: others are revoked. All files are read and checked before anything is sent. It \
      stops at the first refusal; what was done before stays done.
      """)

  @Option(
    name: .shortAndLong, parsing: .upToNextOption,
    help: ArgumentHelp("YAML files; - reads stdin.", valueName: "file"))
  var file: [String]

  @Flag(help: "Read and check the documents, and say what would be sent; change nothing.")
  var dryRun = false

  @Option(help: "Why, for the record of 'kind:' documents.", transform: Parse.text)
  var reason: Text?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let documents = try file.flatMap { try YAMLDocuments.parse(SourceFile.read($0)) }
      .filter { $0.root.null == nil }
    let parsed = try documents.map { document in
      (
        document, document.text("scenario") == nil ? nil : try Scenario(document),
        document.text("scenario") == nil ? try Wish(document) : nil
      )
    }
    let client = try Client(connection.connection())
    var report = ApplyReport(output: output)
    for (document, scenario, wish) in parsed {
      if let scenario { try await apply(scenario, document, client, &report) }
      if let wish { try await apply(wish, document, client, &report) }
    }
    try report.finish(at: client.seen)
  }

  private func apply(
    _ scenario: Scenario, _ document: YAMLDocument, _ client: Client, _ report: inout ApplyReport
  ) async throws {
    report.title("scenario \(scenario.name)")
    // What stands at or before this head was done by an earlier apply.
    let before =
      dryRun
      ? .empty : try await client.read(ItemReply<WhoamiItem>.self, "whoami").position
    for step in scenario.steps {
      let id = scenario.commandID(step)
      if dryRun {
        report.would(step.name, step.command, id)
        continue
      }
      let call = CommandCall(id: id, step.command, reason: step.reason)
      let reply = try await send(call, client, document, step.mark, "step '\(step.name)'")
      report.did(step.name, step.command, id, reply, isEarlier: reply.position <= before)
    }
  }

  private func apply(
    _ wish: Wish, _ document: YAMLDocument, _ client: Client, _ report: inout ApplyReport
  ) async throws {
    report.title(wish.subject)
    let commands: [any Command]
    do { commands = try await wish.commands(client) } catch let fixed as Fixed {
      throw document.source.failure(
        fixed.reason, at: document.root.mark, help: "make a new one under another name")
    }
    if commands.isEmpty { report.unchanged() }
    for command in commands {
      let id = CommandID.make()
      if dryRun {
        report.would(nil, command, id)
        continue
      }
      let call = CommandCall(id: id, command, reason: reason)
      let reply = try await send(call, client, document, document.root.mark, wish.subject)
      report.did(nil, command, id, reply, isEarlier: false)
    }
  }

  /// Sends a command; a refusal is told with its place in the document.
  private func send(
    _ call: CommandCall, _ client: Client, _ document: YAMLDocument, _ mark: Yams.Mark?,
    _ what: String
  ) async throws -> CommandReply {
    do {
      return try await client.send(call)
    } catch let failure as Failure where failure.kind == .refused && failure.code != nil {
      let help =
        failure.code == "commandIDUsed"
        ? "a step that was applied never changes, and stays with who applied it: add another step"
        : failure.help
      throw document.source.failure("\(what): \(failure.message)", at: mark, help: help)
    }
  }
}
