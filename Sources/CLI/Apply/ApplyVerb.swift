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
      stops at the first refusal; what was done before stays done, and applying again goes on from \
      there. A plain number where a name or text is wanted is that text: 'version: 1'.
      """)

  @Option(
    name: .shortAndLong, parsing: .upToNextOption,
    help: ArgumentHelp("YAML files; - reads stdin.", valueName: "file"))
  var file: [String]

  @Flag(help: "Decide each step on what those before it would leave; change nothing.")
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
    let rehearsal = dryRun ? Rehearsal(client) : nil
    do {
      for (document, scenario, wish) in parsed {
        switch (scenario, wish, rehearsal) {
        case (let scenario?, _, nil): try await apply(scenario, document, client, &report)
        case (let scenario?, _, let rehearsal?):
          try await rehearse(scenario, document, rehearsal, &report)
        case (nil, let wish?, nil): try await apply(wish, document, client, &report)
        case (nil, let wish?, let rehearsal?):
          try await rehearse(wish, document, rehearsal, &report)
        case (nil, nil, _): break
        }
      }
    } catch let failure as Failure where report.done > 0 {
      throw failure.afterSteps(report.done)
    } catch let problem as DocumentProblem where report.done > 0 {
      throw Failure(problem).afterSteps(report.done)
    }
    try report.finish(at: client.seen)
  }

  private func apply(
    _ scenario: Scenario, _ document: YAMLDocument, _ client: Client, _ report: inout ApplyReport
  ) async throws {
    report.title("scenario \(scenario.name)")
    // What stands at or before this head was done by an earlier apply.
    let before = try await client.read(ItemReply<WhoamiItem>.self, "whoami").position
    for step in scenario.steps {
      let id = scenario.commandID(step)
      let call = CommandCall(id: id, step.command, reason: step.reason)
      let reply = try await send(call, client, document, step.mark, "step '\(step.name)'")
      report.did(step.name, step.command, id, reply, isEarlier: reply.position <= before)
    }
  }

  private func apply(
    _ wish: Wish, _ document: YAMLDocument, _ client: Client, _ report: inout ApplyReport
  ) async throws {
    report.title(wish.subject)
    let commands = try await commands(wish, document, client)
    if commands.isEmpty { report.unchanged() }
    for command in commands {
      let id = CommandID.make()
      let call = CommandCall(id: id, command, reason: reason)
      let reply = try await send(call, client, document, document.root.mark, wish.subject)
      report.did(nil, command, id, reply, isEarlier: false)
    }
  }

  private func commands(
    _ wish: Wish, _ document: YAMLDocument, _ present: some Finding
  ) async throws -> [any Command] {
    do { return try await wish.commands(present) } catch let fixed as Fixed {
      throw document.source.problem(
        fixed.reason, at: document.root.mark, help: "make a new one under another name")
    }
  }

  private func rehearse(
    _ scenario: Scenario, _ document: YAMLDocument, _ rehearsal: Rehearsal,
    _ report: inout ApplyReport
  ) async throws {
    report.title("scenario \(scenario.name)")
    let tried = try await rehearsal.add(
      scenario.steps.map {
        CommandCall(id: scenario.commandID($0), $0.command, reason: $0.reason)
      })
    for (step, outcome) in zip(scenario.steps, tried.steps) {
      report.would(step.name, step.command, scenario.commandID(step), outcome)
    }
    if let refusal = tried.refusal {
      let step = scenario.steps[tried.steps.count]
      throw Self.placed(refusal, document, step.mark, "step '\(step.name)'")
    }
  }

  private func rehearse(
    _ wish: Wish, _ document: YAMLDocument, _ rehearsal: Rehearsal, _ report: inout ApplyReport
  ) async throws {
    report.title(wish.subject)
    let commands = try await commands(wish, document, rehearsal)
    if commands.isEmpty { report.unchanged() }
    let calls = commands.map { CommandCall(id: .make(), $0, reason: reason) }
    let tried = try await rehearsal.add(calls)
    for (index, outcome) in tried.steps.enumerated() {
      report.would(nil, commands[index], calls[index].id, outcome)
    }
    if let refusal = tried.refusal {
      throw Self.placed(refusal, document, document.root.mark, wish.subject)
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
      throw Self.placed(failure, document, mark, what)
    }
  }

  private static func placed(
    _ failure: Failure, _ document: YAMLDocument, _ mark: Yams.Mark?, _ what: String
  ) -> Failure {
    let help =
      failure.code == "commandIDUsed"
      ? "a step that was applied never changes, and stays with who applied it: add another step"
      : failure.help
    return Failure(document.source.problem("\(what): \(failure.message)", at: mark, help: help))
  }
}

extension Failure {
  /// What stopped it half way: how far it came, and how to go on.
  fileprivate func afterSteps(_ count: Int) -> Failure {
    let steps =
      count == 1
      ? "1 step was done before it and stays" : "\(count) steps were done before it and stay"
    let lines = [help, "\(steps); applying again goes on from there"].compactMap { $0 }
    return Failure(kind, message, help: lines.joined(separator: "\nhelp: "), code: code)
  }
}
