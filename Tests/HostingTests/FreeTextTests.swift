// Texts that events hold: each field is named here, with who writes it. What engines, or people who use a
// model, say is in none of them; names, e-mail and reasons of persons are sealed, and are no texts here.

import TestKit
import Testing

@testable import Hosting

/// The fields of values that hold free text, found by reflection: `nodeReported.attempts[].reason`.
struct TextFields {
  private(set) var found: Set<String> = []

  /// - Parameter name: whose fields these are.
  mutating func note(_ value: Any, of name: String) {
    switch value {
    // Short, and of few characters.
    case is Name: return
    case is String, is Text:
      found.insert(name)
      return
    default: break
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: for child in mirror.children { note(child.value, of: name) }
    case .collection, .set, .dictionary:
      for child in mirror.children { note(child.value, of: "\(name)[]") }
    default:
      for child in mirror.children { note(child.value, of: "\(name).\(child.label ?? "?")") }
    }
  }
}

@Suite struct FreeTextTests {
  /// How an engine is run, in events of two types.
  private static let ofLaunches = ["engineDefined", "modelVersionAdded"].flatMap { event in
    [
      "command[]", "environment[].key", "environment[].value", "readiness.path", "liveness.path",
      "liveness.request.path", "liveness.request.body",
    ].map { "\(event).launch.\($0)" }
  }

  /// What people who may command write, by hand or in a document, for all to read.
  private static let ofPersons = Set(
    ofLaunches + [
      "providerRegistered.title", "teamRegistered.title", "modelVersionAdded.arguments[]",
      "modelVersionAdded.modelPath",
    ])

  /// What wharfd itself puts into words, is told by its operator, or asks PostgreSQL.
  private static let ofWharfd: Set<String> = [
    "eraBegan.database.systemIdentifier", "leadershipTaken.instance", "leadershipTaken.address",
    "commandNoted.command", "replicasPlaced.placements[].reason",
    "replicasPlaced.placements[].devices[]", "replicasRemoved.reason",
  ]

  /// The first characters of secrets, by whoever made them.
  private static let ofSecrets: Set<String> = [
    "personTokenIssued.prefix", "keyIssued.prefix", "keyRotated.prefix", "joinTokenIssued.prefix",
  ]

  /// What agents and gateways say of themselves and their machines: short, printable, and checked at the
  /// door (`NodeReportTests`, `GatewayTests`).
  private static let ofMachines: Set<String> = [
    "nodeJoined.facts.address", "nodeJoined.facts.devices[].id", "nodeJoined.facts.devices[].model",
    "nodeReported.facts.address", "nodeReported.facts.devices[].id",
    "nodeReported.facts.devices[].model", "nodeReported.bootID", "nodeReported.incarnation",
    "nodeReported.attempts[].endpoint", "nodeReported.attempts[].device",
    "gatewayStarted.incarnation", "gatewayStarted.address",
  ]

  /// Words that logs of before hold; a cause is told in their place.
  private static let ofBefore: Set<String> = [
    "nodeReported.attempts[].reason", "nodeAlarmed.alarm",
  ]

  private func fields(_ examples: [any Event]) -> Set<String> {
    var fields = TextFields()
    for event in examples { fields.note(event, of: type(of: event).type) }
    return fields.found
  }

  @Test func `every text that an event holds is known, with who writes it`() {
    let known = [Self.ofWharfd, Self.ofSecrets, Self.ofMachines, Self.ofBefore]
      .reduce(Self.ofPersons) { $0.union($1) }
    let found = fields(GoldenTests.allExamples)
    #expect(
      found.subtracting(known).sorted() == [],
      "say who writes it: words of engines and of who asks them belong into no event")
    #expect(known.subtracting(found).sorted() == [], "no event holds it any more")
  }

  @Test func `a text that is in no list is found, however deep it lies`() {
    struct Crate {
      var mark: Name = "m"
      var parts: [Part?] = [Part()]
      struct Part { var notes: [String: Text] = ["a": "b"] }
    }
    var fields = TextFields()
    fields.note(Crate(), of: "crate")
    #expect(fields.found == ["crate.parts[].notes[].key", "crate.parts[].notes[].value"])
  }
}
