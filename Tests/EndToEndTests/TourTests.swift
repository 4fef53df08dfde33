// The README's tour, played as it stands there: every `$` line in its order, in one shell, on a fresh
// system. What it prints is compared loosely: numbers, times and hashes are others each time.

import Foundation
import TestKit
import Testing

@Suite(.turn, .bounded) struct TourTests {
  private struct Step {
    let command: String
    var expected: [String] = []
    /// Only refusals end with another code than 0.
    var isRefused: Bool { expected.first?.hasPrefix("error:") == true }
  }

  private static func steps() throws -> [Step] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../README.md")
    let readme = try String(contentsOf: file, encoding: .utf8)
    let tour = try #require(readme.components(separatedBy: "\n## A tour\n").last)
      .components(separatedBy: "\n## ")[0]
    var steps: [Step] = []
    for (index, block) in tour.components(separatedBy: "```\n").enumerated() where index % 2 == 1 {
      for line in block.split(separator: "\n") {
        if line.hasPrefix("$ ") {
          steps.append(Step(command: String(line.dropFirst(2))))
        } else if line.wholeMatch(of: /\d+ of \d+ replicas ready/) == nil {
          // Those are on the way: which ones are seen depends on the pace.
          steps[steps.count - 1].expected.append(String(line))
        }
      }
    }
    return steps
  }

  /// Without what differs from run to run, up to where the README cuts a line off.
  private static func loose(_ line: String) -> String {
    var text = String(line.prefix { $0 != "…" })
    text.replace(#/\d{4}-\d\d-\d\dT?[\d:.Z ]*/#, with: "<time> ")
    text.replace(#/\bwharf-[a-z]+-[0-9a-f]{16,}/#, with: "<secret>")
    text.replace(#/\d+(\.\d+)? (ms|s)\b/#, with: "<while>")
    text.replace(#/\d{2,}/#, with: "#")
    text.replace(#/-{2,}/#, with: "--")
    text.replace(#/\s+/#, with: " ")
    return text.trimmingCharacters(in: .whitespaces)
  }

  /// The tour's folder, ports and build are the newcomer's; the test has its own.
  private static func command(_ step: Step, on system: System) -> String {
    if step.command.hasPrefix("export PATH=") { return ":" }
    // As `up` printed it, pasted.
    if step.command.hasPrefix("export WHARF_DATABASE_URL=") {
      return "eval \"$(grep -h 'export WHARF_DATABASE_URL=' *.said)\""
    }
    // Whoever reads takes longer than two replicas to start.
    if step.command.hasPrefix("wharf why ") {
      return "until wharf deployment list | grep -q ' 4/6 '; do sleep 0.1; done; \(step.command)"
    }
    let ports = "--api-port \(system.apiPort) --gateway-port \(system.gatewayPort)"
    return step.command
      .replacing("--data /tmp/wharf-tour", with: "--data \(system.data) \(ports)")
      .replacing("localhost:7480", with: "localhost:\(system.gatewayPort)")
  }

  @Test func `the tour can be followed line by line, and says what the README says`() async throws {
    let steps = try Self.steps()
    #expect(steps.count > 20)
    let system = try System()
    let script = steps.enumerated().map { index, step in
      "{ \(Self.command(step, on: system))\n} > \(index).said 2>&1; echo $? > \(index).code"
    }
    let ran = try await system.shell(script.joined(separator: "\n"))
    #expect(ran.status == .code(0), "\(ran)")
    for (index, step) in steps.enumerated() {
      let said = try #require(system.folder.text("\(index).said"))
      let code = system.folder.text("\(index).code")?.trimmingCharacters(in: .newlines)
      #expect(code == (step.isRefused ? "1" : "0"), "\(step.command)\n\(said)")
      let lines = said.split(separator: "\n").map { Self.loose(String($0)) }
      for expected in step.expected.map(Self.loose) where !expected.isEmpty {
        #expect(
          lines.contains { $0.hasPrefix(expected) },
          "\(step.command)\nexpected: \(expected)\nsaid:\n\(lines.joined(separator: "\n"))")
      }
    }
    try await system.down()
  }
}
