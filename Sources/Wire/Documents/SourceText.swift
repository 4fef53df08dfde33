// The text of a document file, and how a place in it is named.

import Yams

package struct SourceText: Sendable {
  /// As it was given: a file's name, or `stdin`.
  package let name: String
  package let text: String

  package init(name: String, text: String) {
    self.name = name
    // Some editors begin a file with a byte order mark, which says nothing in UTF-8.
    self.text =
      text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
  }

  /// What is wrong, and where: `seeds/story.yaml:12:5: …`
  package func problem(
    _ reason: String, at mark: Yams.Mark? = nil, help: String? = nil
  ) -> DocumentProblem {
    DocumentProblem("\(place(mark)): \(reason)", help: help)
  }

  package func place(_ mark: Yams.Mark?) -> String {
    mark.map { "\(name):\($0.line):\($0.column)" } ?? name
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

  /// So many are told of a document; the others wait until these are mended.
  private static let toldLimit = 20

  /// Several as one, each with its place on a line of its own; none of none.
  package init?(_ all: [DocumentProblem]) {
    guard let first = all.first else { return nil }
    guard all.count > 1 else {
      self = first
      return
    }
    let told = all.prefix(Self.toldLimit).map(\.description)
    let more = all.count > told.count ? ["and \(all.count - told.count) more"] : []
    let helps = all.compactMap(\.help).reduce(into: [String]()) { helps, help in
      if !helps.contains(help) { helps.append(help) }
    }
    self.init(
      (told + more).joined(separator: "\nerror: "),
      help: helps.isEmpty ? nil : helps.joined(separator: "\nhelp: "))
  }

  /// What each of some steps makes, or all that is wrong with them.
  package static func gather<Step, Made>(
    _ steps: [Step], _ make: (Step) throws(DocumentProblem) -> Made
  ) throws(DocumentProblem) -> [Made] {
    var made: [Made] = []
    var problems: [DocumentProblem] = []
    for step in steps {
      do { made.append(try make(step)) } catch { problems.append(error) }
    }
    if let problem = DocumentProblem(problems) { throw problem }
    return made
  }
}
