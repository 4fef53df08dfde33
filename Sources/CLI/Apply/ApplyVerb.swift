// `wharf apply`: documents of commands and of wanted things, which may be applied again and again.

import ArgumentParser
import Hosting
import Program
import Time
import Wire
import Yams

struct ApplyVerb: AsyncParsableCommand {
  static let configuration = CommandConfiguration.verb(
    "apply", "Do what documents say; applying them again changes nothing.",
    example: "wharf apply -f seeds/1-providers.yaml",
    more: """
      A document is 'scenario: NAME' with 'steps:' (step, command, with, reason), or one wanted \
      thing: 'kind:' engine, provider, agreement, model, team or deployment. Of a wanted thing, what is \
      left out stays as it is, and null removes a limit, an end or an alias. A team's 'grants:' are all it \
      is to have: others are revoked, and all of them with 'grants: []'. All files are read and checked \
      before anything is sent. Wanted things are seen to in the order in which one needs another: \
      providers, agreements, engines, models, teams, deployments; a scenario keeps its place among them, \
      and those before it come before it. It stops at the first refusal; what was done before stays \
      done, and once that is mended, applying again goes on from there. A plain number where a name or text is \
      wanted is that text: 'version: 1'.
      """)

  @Option(
    name: .shortAndLong, parsing: .upToNextOption,
    help: ArgumentHelp("YAML files; - reads stdin.", valueName: "file"), transform: Paths.named)
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
    let parsed = try DocumentProblem.gather(documents) {
      (document) throws(DocumentProblem) -> (YAMLDocument, Scenario?, Wish?) in
      let isScenario = document.text("scenario") != nil
      return (
        document, isScenario ? try Scenario(document) : nil,
        isScenario ? nil : try Wish(document)
      )
    }
    try Self.checkOnce(parsed.map { ($0.0, $0.1, $0.2) })
    let inOrder = Self.ordered(parsed.map { ($0.0, $0.1, $0.2) })
    if reason != nil, parsed.contains(where: { $0.2 != nil }) == false {
      throw Failure(
        .usage, "--reason is for 'kind:' documents, and there is none",
        help: "write 'reason:' at the steps of a scenario")
    }
    let client = try Client(connection.connection())
    var report = ApplyReport(output: output)
    let rehearsal = dryRun ? Rehearsal(client) : nil
    do {
      for (document, scenario, wish) in inOrder {
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

  /// Wanted things by their turn, each kind in the order of the files. Scenarios are commands in an order that
  /// somebody chose, so they stay where they stand.
  static func ordered(
    _ parsed: [(document: YAMLDocument, scenario: Scenario?, wish: Wish?)]
  ) -> [(document: YAMLDocument, scenario: Scenario?, wish: Wish?)] {
    var stretch = 0
    let numbered = parsed.enumerated().map { index, each in
      if each.scenario != nil { stretch += 1 }
      defer { if each.scenario != nil { stretch += 1 } }
      return (place: [stretch, each.wish?.turn ?? 0, index], each: each)
    }
    return numbered.sorted { $0.place.lexicographicallyPrecedes($1.place) }.map(\.each)
  }

  /// Two documents of one thing would each undo what the other did.
  private static func checkOnce(
    _ parsed: [(document: YAMLDocument, scenario: Scenario?, wish: Wish?)]
  ) throws(DocumentProblem) {
    var places: [String: String] = [:]
    func check(_ subject: String, _ document: YAMLDocument, _ mark: Yams.Mark?)
      throws(DocumentProblem)
    {
      let place = document.source.place(mark)
      if let first = places.updateValue(place, forKey: subject.lowercased()) {
        throw document.source.problem(
          "\(subject) stands here a second time; the first is at \(first)", at: mark,
          help: "say all of it in one document")
      }
    }
    for (document, scenario, wish) in parsed {
      if let wish { try check(wish.subject, document, document.root.mark) }
      for step in scenario?.steps ?? [] {
        try check("step '\(step.name)' of scenario \(scenario?.name ?? "")", document, step.mark)
      }
    }
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
    let steps = try await steps(wish, document, client)
    if steps.isEmpty { report.unchanged() }
    for step in steps {
      do {
        try await send(step.command, step, wish, document, client, &report)
      } catch let failure as Failure where failure.code == Self.datePassed {
        switch step.late {
        case .refused: throw failure
        case .done: report.unchanged()
        case .instead(let command):
          try await send(command, step, wish, document, client, &report)
        }
      }
    }
  }

  /// The code of a refusal whose date has passed.
  private static let datePassed = "backdated"

  private func send(
    _ command: any Command, _ step: WishStep, _ wish: Wish, _ document: YAMLDocument,
    _ client: Client, _ report: inout ApplyReport
  ) async throws {
    let id = clocks.makeCommandID()
    let call = CommandCall(id: id, command, reason: reason)
    let reply = try await send(call, client, document, document.mark(step.path), wish.subject)
    report.did(nil, command, id, reply, isEarlier: false)
  }

  private func steps(
    _ wish: Wish, _ document: YAMLDocument, _ present: some Finding
  ) async throws -> [WishStep] {
    do { return try await wish.steps(present) } catch let fixed as Fixed {
      throw document.source.problem(fixed.reason, at: document.mark(fixed.path), help: fixed.help)
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
    let steps = try await steps(wish, document, rehearsal)
    if steps.isEmpty { report.unchanged() }
    for step in steps {
      guard let refusal = try await rehearse(step.command, rehearsal, &report) else { continue }
      let placed = Self.placed(refusal, document, document.mark(step.path), wish.subject)
      guard refusal.code == Self.datePassed else { throw placed }
      switch step.late {
      case .refused: throw placed
      case .done: report.unchanged()
      case .instead(let command):
        if let refusal = try await rehearse(command, rehearsal, &report) {
          throw Self.placed(refusal, document, document.mark(step.path), wish.subject)
        }
      }
    }
  }

  private func rehearse(
    _ command: any Command, _ rehearsal: Rehearsal, _ report: inout ApplyReport
  ) async throws -> Failure? {
    let call = CommandCall(id: clocks.makeCommandID(), command, reason: reason)
    let tried = try await rehearsal.add([call])
    for outcome in tried.steps { report.would(nil, command, call.id, outcome) }
    return tried.refusal
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
    return Failure(
      document.source.problem("\(what): \(failure.message)", at: mark, help: help),
      code: failure.code)
  }
}

extension Failure {
  /// What stopped it half way: how far it came, and how to go on.
  fileprivate func afterSteps(_ count: Int) -> Failure {
    let steps =
      count == 1
      ? "1 step was done before it and stays" : "\(count) steps were done before it and stay"
    // What was refused is refused again, until somebody mends it.
    let mended = kind == .refused ? "once that is mended, applying" : "applying"
    return Failure(
      kind, message, help: "\(help)\nhelp: \(steps); \(mended) again goes on from there", code: code
    )
  }
}
