// How an answer is shown: a table, a wide one, JSON or YAML, or only what matters most.

import ArgumentParser
import Hosting
import Wire

enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table, wide, json, yaml
}

struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("How to show it: table, wide, json or yaml.", valueName: "format"))
  var output: OutputFormat = .table

  @Flag(name: .shortAndLong, help: "Print only what matters most: names, an id or a secret.")
  var quiet = false

  func validate() throws {
    if quiet, output == .json || output == .yaml {
      throw ValidationError(
        "--quiet prints only what matters most, and -o \(output.rawValue) everything: choose one")
    }
  }

  /// Whether words may stand beside the answer: a program reads what is JSON or YAML, and all of it.
  var isForPeople: Bool { !quiet && (output == .table || output == .wide) }

  /// A reply as JSON or YAML, where that is asked for.
  func structured(_ body: [UInt8]) throws -> String? {
    if quiet { return nil }
    return switch output {
    case .table, .wide: nil
    case .json: try Structure.json(body)
    case .yaml: try Structure.yaml(body)
    }
  }
}

/// One column of a noun's table.
struct Column<Item> {
  let title: String
  /// Shown with `-o wide` only.
  let isWide: Bool
  let cell: (Item) -> Cell

  init(_ title: String, wide: Bool = false, _ cell: @escaping (Item) -> Cell) {
    self.title = title
    isWide = wide
    self.cell = cell
  }
}

/// A noun of the command line: how its things are listed and shown.
protocol Noun: ParsableCommand {
  associatedtype Item: NounItem
  /// `providers`: where the API lists them, and what they are called.
  static var path: String { get }
  static var columns: [Column<Item>] { get }
  static func details(_ item: Item) -> Details
  /// The document that makes such a thing, which `show -o yaml` prints where there is one.
  static func document(_ item: Item) -> [UInt8]?
}

extension Noun {
  static func document(_ item: Item) -> [UInt8]? { nil }

  static func list(_ items: [Item], _ output: OutputOptions, _ terminal: Terminal) -> String {
    if output.quiet { return items.map(\.label).joined(separator: "\n") }
    if items.isEmpty { return "no \(path)" }
    let isWide = output.output == .wide
    let shown = columns.filter { isWide || !$0.isWide }
    let grid = Grid(
      titles: shown.map(\.title), rows: items.map { item in shown.map { $0.cell(item) } })
    return grid.lines(terminal, fitting: !isWide).joined(separator: "\n")
  }

  static func show(_ item: Item, _ output: OutputOptions, _ terminal: Terminal) -> String {
    if output.quiet { return item.id }
    return details(item).lines(terminal, fitting: output.output != .wide).joined(separator: "\n")
  }
}
