// What each engine of Deploy/engines is started with, word for word: a change of a template shows itself
// here before it starts anything. WHARF_WRITE_GOLDEN=1 writes the texts anew.

import EngineTemplates
import Foundation
import Hosting
import Testing
import Wire

@testable import Agent

@Suite struct `Lines of engines` {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden/Engines")
  private static let base = EngineCommand.Base(path: "/usr/bin", home: "/root", language: "C.UTF-8")

  private struct Case {
    let title: String
    var devices = ["GPU-1", "GPU-2"]
    var contextLength: Int? = 131_072
    var modelPath: String? = "/models/grok 3"
    var arguments: [String] = []
  }

  private static let cases = [
    Case(
      title: "all that a model can state, and arguments of its own", arguments: ["--seed", "7"]),
    Case(title: "without devices and context length", devices: [], contextLength: nil),
    Case(title: "without a path of its weights", devices: ["sim-0"], modelPath: nil),
  ]

  /// One argument a line, since a blank within one splits nothing.
  private static func text(_ item: Case, _ launch: Launch) -> String {
    var launch = launch
    launch.command += item.arguments
    var attempt = assigned("31.2.40", on: item.devices, launch: launch)
    attempt.contextLength = item.contextLength
    attempt.modelPath = item.modelPath
    var lines = ["# \(item.title)"]
    do {
      let command = try EngineCommand(attempt, host: "10.0.0.4", port: 9007, base: base)
      lines += command.arguments.enumerated().map {
        $0.offset == 0 ? $0.element : "  \($0.element)"
      }
      lines += command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    } catch {
      lines.append("refused: \(error)")
    }
    return lines.joined(separator: "\n")
  }

  private static func text(_ template: DefineEngine) -> String {
    let launch = template.launch
    let ready = launch.readiness
    let models = ready.listsModel ? " and GET /v1/models lists it" : ""
    return cases.map { text($0, launch) + "\n" }.joined(separator: "\n") + """

      # life
      ready when GET \(ready.path) is 200\(models); looked at every \(ready.periodMilliseconds) ms
      given up after \(ready.deadlineSeconds) s; killed \(launch.stopGraceSeconds) s after SIGTERM
      answers \(template.tasks.map(\.rawValue).joined(separator: ", "))

      """
  }

  @Test(arguments: EngineTemplates.all.map(\.file))
  func `are as written down`(file: String) throws {
    let template = try #require(EngineTemplates.all.first { $0.file == file })
    let found = Self.text(try EngineTemplate(template.text, file: file).define)
    let golden = Self.folder.appending(path: file.replacing(".yaml", with: ".txt"))
    if ProcessInfo.processInfo.environment["WHARF_WRITE_GOLDEN"] != nil {
      try Data(found.utf8).write(to: golden)
    }
    #expect(found == (try String(contentsOf: golden, encoding: .utf8)), "\(file)")
  }

  @Test func `have a text for each engine, and no text without one`() throws {
    let texts = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(
      texts.sorted()
        == EngineTemplates.all.map { $0.file.replacing(".yaml", with: ".txt") }.sorted())
  }
}
