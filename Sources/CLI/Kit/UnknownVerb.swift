// A word where a noun or a verb is expected, and that is none: the parser calls it an argument too many.

import ArgumentParser
import Hosting

struct UnknownVerb: CustomStringConvertible {
  private let word: String
  /// As it is typed up to that word.
  private let path: String
  private let known: [String]

  /// The first word that names nothing, if there is one.
  ///
  /// - Parameter arguments: what stands after the program's name.
  init?(in arguments: [String], of root: any ParsableCommand.Type) {
    var configuration = root.configuration
    var path = configuration.commandName ?? ""
    for word in arguments {
      let inner = configuration.subcommands.map { $0.configuration }
      // Where a verb goes without saying, any word may be its argument; `help` is the parser's own.
      guard !inner.isEmpty, configuration.defaultSubcommand == nil, word != "help",
        !word.hasPrefix("-")
      else { return nil }
      if let next = inner.first(where: { $0.commandName == word }) {
        configuration = next
        path += " \(word)"
        continue
      }
      self.word = word
      self.path = path
      known = inner.compactMap { $0.commandName }
      return
    }
    return nil
  }

  var description: String {
    let meant = Spelling.nearest(to: word, among: known).map { "; did you mean '\($0)'?" } ?? ""
    return """
      error: there is no '\(path) \(word)'\(meant)
      help: '\(path)' goes on with: \(known.joined(separator: ", "))
      """
  }
}
