// What makes a run of `wharf` end with another code than 0: said on stderr as a message and a line
// of help.

import Hosting
import Wire

struct Failure: Error {
  /// The raw value is the exit code.
  enum Kind: Int32 {
    case refused = 1
    case usage = 2
    case unreachable = 3
    case timedOut = 4
  }

  let kind: Kind
  let message: String
  let help: String
  /// The API's stable code, where it refused.
  let code: String?

  init(_ kind: Kind, _ message: String, help: String, code: String? = nil) {
    self.code = code
    self.kind = kind
    self.message = message
    self.help = help
  }

  init(_ error: ErrorReply.Failure) {
    self.init(.refused, error.message, help: error.help ?? Self.unsaid, code: error.code)
  }

  init(_ problem: DocumentProblem, code: String? = nil) {
    self.init(
      .refused, problem.description, help: problem.help ?? "mend it there, and do this again",
      code: code)
  }

  /// Of what the API refuses without a word on it, as an older one does.
  static let unsaid = "see how it stands: wharf status"

  var text: String { "error: \(message)\nhelp: \(help)" }
}
