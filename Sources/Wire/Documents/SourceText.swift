// The text of a document file, and how a place in it is named.

import Yams

package struct SourceText: Sendable {
  /// As it was given: a file's name, or `stdin`.
  package let name: String
  package let text: String

  package init(name: String, text: String) {
    self.name = name
    self.text = text
  }

  /// What is wrong, and where: `seeds/story.yaml:12:5: …`
  package func problem(
    _ reason: String, at mark: Yams.Mark? = nil, help: String? = nil
  ) -> DocumentProblem {
    let place = mark.map { "\(name):\($0.line):\($0.column)" } ?? name
    return DocumentProblem("\(place): \(reason)", help: help)
  }
}

/// Why a document cannot be used, with its place, and what would help.
package struct DocumentProblem: Error, Equatable, CustomStringConvertible {
  package let description: String
  package let help: String?

  package init(_ description: String, help: String? = nil) {
    self.description = description
    self.help = help
  }
}
