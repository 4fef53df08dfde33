// Which methods a path answers to, for a request that came by another one.

import HTTPTypes
import Synchronization

final class AllowedMethods: Sendable {
  private struct Known {
    /// Without the slashes; none stands for any one word, the last may stand for all that follow.
    let words: [Substring?]
    let takesMore: Bool
    let method: HTTPRequest.Method
  }

  private let known = Mutex<[Known]>([])

  func learn(_ routes: [(path: String, method: HTTPRequest.Method)]) {
    known.withLock { known in
      known = routes.map { path, method in
        let words = path.split(separator: "/")
        return Known(
          words: words.filter { $0 != "**" }.map {
            $0.hasPrefix("{") || $0.hasPrefix(":") || $0 == "*" ? nil : $0
          }, takesMore: words.last == "**", method: method)
      }
    }
  }

  /// As in `GET, HEAD`; none where the path answers to nothing.
  func of(_ path: String) -> String? {
    let asked = path.split(separator: "/")
    let found = known.withLock { known in
      known.filter { route in
        (route.takesMore ? asked.count > route.words.count : asked.count == route.words.count)
          && zip(route.words, asked).allSatisfy { $0 == nil || $0! == $1 }
      }
    }
    guard !found.isEmpty else { return nil }
    var methods = Set(found.map(\.method.rawValue))
    if methods.contains("GET") { methods.insert("HEAD") }
    return methods.sorted().joined(separator: ", ")
  }
}
