// The commands that documents show are commands of the programs, with the options that they name.

import ArgumentParser
import Foundation
import TestKit
import Testing

@testable import CLI

@Suite struct DocumentedCommandsTests {
  private struct Command: Hashable {
    let program: String
    let verbs: [String]
    var name: String { ([program] + verbs).joined(separator: " ") }
  }

  /// Those of the lines that begin with `$ `, with the options that they are given.
  private func commands(of text: String) -> [Command: Set<String>] {
    var found: [Command: Set<String>] = [:]
    let lines = text.replacing(/\\\n */, with: "").split(separator: "\n")
    let program = /(?:^\$|[;|(]|&&) ?(wharf|wharfd|wharf-agent|wharf-gateway) ([^|;()<>&#]*)/
    for line in lines where line.hasPrefix("$ ") {
      for match in String(line).matches(of: program) {
        let words = match.2.split(separator: " ").map(String.init)
        let verbs = words.prefix { $0.allSatisfy { $0.isLowercase || $0 == "-" } }
          .prefix(2).filter { !$0.hasPrefix("-") }
        let options = words.filter { $0.hasPrefix("--") }.map { String($0.prefix { $0 != "=" }) }
        found[Command(program: String(match.1), verbs: verbs), default: []].formUnion(options)
      }
    }
    return found
  }

  /// - Returns: nothing, if there is no such command.
  private func help(of command: Command, _ folder: TestFolder) async throws -> String? {
    if command.program == "wharf" { return help(command.verbs) }
    let ran = try await Programs.run(
      command.program, command.verbs + ["--help"], environment: folder.environment(),
      folder: folder.root)
    // Of a verb that there is not, it is the program's own.
    return ran.code == 0 && ran.out.contains("USAGE: \(command.name)") ? ran.out : nil
  }

  private func help(_ verbs: [String]) -> String? {
    var type: any ParsableCommand.Type = Wharf.self
    for word in verbs {
      let configuration = type.configuration
      let below =
        configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
      if let next = below.first(where: { $0.configuration.commandName == word }) {
        type = next
      } else if let usual = configuration.defaultSubcommand {
        type = usual
      } else if !below.isEmpty {
        return nil
      }
    }
    return Wharf.helpMessage(for: type)
  }

  private func faults(in text: String) async throws -> [String] {
    let folder = try TestFolder()
    var faults: [String] = []
    for (command, options) in commands(of: text) {
      guard let help = try await help(of: command, folder) else {
        faults.append("there is no '\(command.name)'")
        continue
      }
      for option in options where !help.contains(option) {
        faults.append("'\(command.name)' has no \(option)")
      }
    }
    return faults.sorted()
  }

  @Test(arguments: ["README.md", "Deploy/PRODUCTION.md"])
  func `every command that a document shows is one`(document: String) async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: document), encoding: .utf8)
    #expect(commands(of: text).count > 10, "none are found")
    let faults = try await faults(in: text)
    #expect(faults == [])
  }

  @Test func `one that is none is found out`() async throws {
    let text = """
      $ export KEY=$(wharf key issue a --name b -q)    # as it is
      $ wharf team show a
      $ wharf team abolish a
      $ wharf-agent run --server http://127.0.0.1:7400 \\
          --token-file x 2>>log &
      """
    let faults = try await faults(in: text)
    #expect(
      faults == ["'wharf-agent run' has no --token-file", "there is no 'wharf team abolish'"])
  }
}
