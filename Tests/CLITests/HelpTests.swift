// The help of every verb: short, and with an example that is a command.

import ArgumentParser
import Hosting
import Testing
import Wire

@testable import CLI

struct HelpTests {
  /// Every verb, with the words that lead to it.
  private static func verbs(
    of command: any ParsableCommand.Type, after words: [String] = []
  ) -> [(words: [String], verb: any ParsableCommand.Type)] {
    let configuration = command.configuration
    let inner =
      configuration.subcommands + configuration.groupedSubcommands.flatMap(\.subcommands)
    if inner.isEmpty { return [(words, command)] }
    return inner.flatMap { verb in
      verbs(of: verb, after: words + [verb.configuration.commandName ?? "?"])
    }
  }

  /// The words of an example: quotes taken away, and what is the shell's left out.
  private static func words(_ example: String) -> [String] {
    let inner = example.split(separator: "$(").last.map(String.init) ?? example
    let command = inner.prefix { ")>|".contains($0) == false }
    var words: [String] = []
    for (index, part) in command.split(separator: "'", omittingEmptySubsequences: false)
      .enumerated()
    {
      words += index % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
    }
    return Array(words.dropFirst())
  }

  @Test func `Every verb says what it does in a line, with an example that parses`() throws {
    let verbs = Self.verbs(of: Wharf.self)
    #expect(verbs.count > 60)
    for (words, verb) in verbs {
      let name = words.joined(separator: " ")
      #expect((10...90).contains(verb.configuration.abstract.count), "\(name)")
      let parts = verb.configuration.discussion.split(separator: "Example: ")
      let example = try #require(parts.last.map(String.init), "\(name) has no example")
      #expect(example.contains("wharf \(name)"), "\(name)")
      let parsed = try Wharf.parseAsRoot(Self.words(example))
      #expect(type(of: parsed) == verb, "\(name)")
    }
  }

  /// The command that a verb sends, made of its example; none of verbs that send none.
  private static func sent(by verb: any ParsableCommand) throws -> (any Command)? {
    switch verb {
    case let verb as any CommandVerb: return try verb.command()
    case let verb as any SecretVerb: return try verb.command(Secret(text: "wharf-test-secret"))
    default: return nil
    }
  }

  /// Verbs that send a command otherwise than by `command()`.
  private static let others = [
    "wharf login": "person.accept", "wharf mark": "mark.place",
    "wharf engine define": "engine.define",
  ]

  @Test func `The words for a command in a refusal are those of the verb that sends it`() throws {
    var told = Self.others
    for (words, verb) in Self.verbs(of: Wharf.self) {
      let example = try #require(
        verb.configuration.discussion.split(separator: "Example: ").last.map(String.init))
      guard let command = try Self.sent(by: Wharf.parseAsRoot(Self.words(example))) else {
        continue
      }
      told["wharf \(words.joined(separator: " "))"] = type(of: command).type
    }
    for (type, words) in CommandWords.verbs {
      #expect(told[words] == type, "'\(words)' sends \(told[words] ?? "nothing")")
    }
    #expect(
      told.count == CommandWords.verbs.count, "each verb that sends a command is in the table")
  }

  @Test func `A completion script is there for each shell`() {
    #expect(Wharf.completionScript(for: .bash).contains("join-token"))
    #expect(Wharf.completionScript(for: .zsh).contains("join-token"))
    #expect(Wharf.completionScript(for: .fish).contains("join-token"))
  }
}
