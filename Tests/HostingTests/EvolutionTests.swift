// How the forms of events change: an event of a test's own goes through three versions, and what was
// stored in the first two is read as the third. The types of this program are held to the same.

import Foundation
import HashTreeCollections
import TestKit
import Testing

@testable import Hosting

/// Version 1 held `kilograms`, version 2 renamed it to `mass` in grams, version 3 added `unit`.
struct CargoLoaded: Event {
  static let type = "cargoLoaded"
  static let formatLevel = 2
  static let upcasters = [
    Upcaster { fields throws(JSONProblem) in
      let kilograms = try fields["kilograms"]?.integer() ?? 0
      try fields.rename("kilograms", to: "mass")
      fields.set("mass", to: kilograms * 1_000)
    },
    Upcaster { fields throws(JSONProblem) in fields.set("unit", to: "g") },
  ]
  let ship: String
  let mass: Int
  let unit: String

  func evolve(_ state: inout HostingState, _ fact: Fact) {}

  func write(to json: inout JSONWriter) {
    json.openObject()
    json.field("ship", ship)
    json.field("mass", mass)
    json.field("unit", unit)
    json.closeObject()
  }
}

/// It has no short way.
extension CargoLoaded {
  init?(canonical reader: inout CanonicalReader) { nil }
}

struct LoadCargo: Command {
  static let type = "cargo.load"

  func decide(_ state: HostingState, _ decision: inout Decision) {
    decision.record(CargoLoaded(ship: "anna", mass: 1, unit: "g"), on: .log)
  }

  func write(to json: inout JSONWriter) {
    json.openObject()
    json.closeObject()
  }
}

@Suite struct EvolutionTests {
  private static let registry = EventRegistry([CargoLoaded.self])
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden/Evolution")
  /// What the golden file of each version says.
  private static let expected = [
    CargoLoaded(ship: "anna", mass: 7_000, unit: "g"),
    CargoLoaded(ship: "anna", mass: 7_250, unit: "g"),
    CargoLoaded(ship: "anna", mass: 7_250, unit: "lb"),
  ]

  @Test func `what was stored in any version is read as the newest`() throws {
    try #require(CargoLoaded.schemaVersion == 3)
    for version in 1...3 {
      let stored = try GoldenFiles.stored("cargoLoaded", version, in: Self.folder)
      let read = try Self.registry.decode(
        type: "cargoLoaded", schemaVersion: version, data: stored)
      #expect(read as? CargoLoaded == Self.expected[version - 1], "version \(version)")
    }
    let newest = try GoldenFiles.stored("cargoLoaded", 3, in: Self.folder)
    #expect(Self.expected[2].jsonBytes == newest)
  }

  @Test func `an upcaster's result is the text that the next version would have had`() throws {
    let first = try GoldenFiles.stored("cargoLoaded", 1, in: Self.folder)
    let second = try CargoLoaded.upcasters[0](first)
    #expect(String(decoding: second, as: UTF8.self) == #"{"ship":"anna","mass":7000}"#)
  }

  @Test(arguments: [0, 4, -1])
  func `a version that is not known is refused, and says so`(version: Int) throws {
    let problem = #expect(throws: JSONProblem.self) {
      _ = try Self.registry.decode(
        type: "cargoLoaded", schemaVersion: version, data: Array("{}".utf8))
    }
    #expect(problem?.reason.contains("up to version 3, not \(version)") == true)
  }

  @Test func `a stored form that its upcaster does not know is refused`() throws {
    #expect(throws: JSONProblem.self) {
      _ = try Self.registry.decode(
        type: "cargoLoaded", schemaVersion: 1, data: Array(#"{"ship":"anna"}"#.utf8))
    }
    // A field more than the version had stays, and is refused at the end.
    #expect(throws: JSONProblem.self) {
      _ = try Self.registry.decode(
        type: "cargoLoaded", schemaVersion: 2,
        data: Array(#"{"ship":"anna","mass":1,"colour":"red"}"#.utf8))
    }
  }

  @Test func `what an older program cannot read has a format level of its own`() {
    for type in EventTypes.all {
      #expect(type.formatLevel <= FormatLevel.current, "\(type.type)")
      if type.schemaVersion > 1 { #expect(type.formatLevel > FormatLevel.first, "\(type.type)") }
    }
  }

  @Test func `a command that needs a higher level is refused until the log is there`() throws {
    var world = World(formatLevel: FormatLevel.first)
    let refusal = #expect(throws: Refusal.self) { try world.perform(LoadCargo()) }
    #expect(refusal?.code == "formatLevelTooLow")
    #expect(refusal?.help.contains("wharfd finalize") == true)
    try world.perform(RaiseFormatLevel(level: 2, readers: []), by: .wharfd)
    let events = try world.perform(LoadCargo())
    #expect(events.count == 1)
  }

  @Test func `the level is raised only when nobody older lives, and never falls`() {
    let given = Given(World(formatLevel: FormatLevel.first))
    let old = FormatReader(instance: "berlin", formatLevel: 1)
    let new = FormatReader(instance: "paris", formatLevel: 2)
    given.when(RaiseFormatLevel(level: 2, readers: [new, old]), by: .wharfd)
      .thenRefused("olderWharfdLives", saying: "berlin")
    given.when(RaiseFormatLevel(level: 2, readers: [new]), by: .wharfd)
      .then(FormatLevelRaised(level: 2))
      .when(RaiseFormatLevel(level: 2, readers: [old]), by: .wharfd)
      .thenRefused("olderWharfdLives")
    let raised = given.and(RaiseFormatLevel(level: 2, readers: []), by: .wharfd)
    raised.when(RaiseFormatLevel(level: 2, readers: [new]), by: .wharfd).then()
    raised.when(RaiseFormatLevel(level: 1, readers: [new]), by: .wharfd)
      .thenRefused("formatLevelFalls")
    given.when(RaiseFormatLevel(level: 2, readers: [])).thenRefused("notAllowed")
  }

  @Test func `an empty log begins at the level of its first leader`() throws {
    let take = TakeLeadership(
      instance: "w", address: "a",
      database: DatabaseIdentity(systemIdentifier: "7", timeline: 1), formatLevel: 3)
    var world = World(formatLevel: FormatLevel.first)
    try world.perform(take, by: .wharfd)
    #expect(world.state.log.formatLevel == 3)
    world = World(formatLevel: FormatLevel.first)
    try world.perform(
      TakeLeadership(
        instance: "w", address: "a", database: DatabaseIdentity(systemIdentifier: "7", timeline: 1)),
      by: .wharfd)
    try world.perform(take, by: .wharfd)
    #expect(world.state.log.formatLevel == FormatLevel.current)
  }
}

/// The golden files of stored forms: `type.json` holds version 1, `type.v2.json` version 2, and so on; a
/// further example of a version has a name, too, as `type.v2.NAME.json`. A file that was published never
/// changes.
enum GoldenFiles {
  static func file(
    _ type: String, _ version: Int, _ name: String? = nil, in folder: URL
  ) -> URL {
    let parts = [type, version == 1 ? nil : "v\(version)", name, "json"]
    return folder.appending(path: parts.compactMap { $0 }.joined(separator: "."))
  }

  static func stored(_ type: String, _ version: Int, in folder: URL) throws -> [UInt8] {
    try Array(Data(contentsOf: file(type, version, in: folder)).dropLast())
  }
}
