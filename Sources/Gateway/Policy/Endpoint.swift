// What a model can be asked for: a task has its paths, and a model answers at those of its task alone, as its
// team was told that it would.

import Hosting

package enum Endpoint: String, CaseIterable, Sendable {
  case chat = "/v1/chat/completions"
  case completions = "/v1/completions"
  case embeddings = "/v1/embeddings"

  package var path: String { rawValue }

  /// Engines complete a text with a model for chats, too. A task that a newer wharfd names is the engine's to
  /// judge.
  package static func all(of task: String) -> [Endpoint] {
    switch ModelTask(rawValue: task) {
    case .chat: [.chat, .completions]
    case .completion: [.completions]
    case .embedding: [.embeddings]
    case nil: allCases
    }
  }
}
