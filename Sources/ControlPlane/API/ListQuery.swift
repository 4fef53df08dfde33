// What a list is asked for: which of its things, and which page of them. It is read strictly: a filter that
// nobody knows would show everything to a reader who asked for a part.

import HTTPTypes
import Hosting
import Hummingbird

/// Where a thing stands in its list.
struct ListKey: Comparable, Sendable {
  /// Without case; of several words, with a blank between them, which comes before whatever stands in a name.
  let words: String
  var number: Int64 = 0

  static func < (a: Self, b: Self) -> Bool { (a.words, a.number) < (b.words, b.number) }

  /// What `after` is given: of which list, and behind what.
  func text(in path: String) -> String { "\(path):\(number):\(words)" }

  init(_ words: String, _ number: Int64 = 0) {
    self.words = words
    self.number = number
  }

  init?(text: String, in path: String) {
    let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == path, let number = Int64(parts[1]) else { return nil }
    self.init(String(parts[2]), number)
  }
}

struct ListQuery: Sendable {
  /// A page has no more items, and no more things are listed without pages.
  static let longestPage = 10_000
  private static let words = ["limit", "after", "asOf"]

  /// None: all are asked for at once.
  var limit: Int?
  var after: ListKey?
  var filters: [(name: String, value: String)] = []

  /// All there is, as the programs of before ask for it.
  static let everything = ListQuery()

  private init() {}

  /// - Parameters:
  ///   - path: of the list.
  ///   - known: the filters that it has.
  init(_ request: Request, of path: String, filters known: [String]) throws {
    for (name, value) in request.uri.queryParameters where !Self.words.contains(String(name)) {
      guard known.contains(String(name)) else {
        throw Self.unknown(String(name), of: path, known)
      }
      guard !filters.contains(where: { $0.name == String(name) }) else {
        throw APIError.badParameter(String(name), String(value), wanted: "one value")
      }
      filters.append((String(name), String(value)))
    }
    let pageSize = "a whole number from 1 to \(Self.longestPage)"
    limit = try request.named("limit", pageSize) { text in
      Int(text).flatMap { (1...Self.longestPage).contains($0) ? $0 : nil }
    }
    after = try request.named("after", "the 'next' of a page of \(path)") {
      ListKey(text: $0, in: path)
    }
  }

  private static func unknown(_ name: String, of path: String, _ known: [String]) -> APIError {
    let meant = Spelling.nearest(to: name, among: known + words).map { "; did you mean '\($0)'?" }
    let allowed = (known + words).joined(separator: ", ")
    return APIError(
      .badRequest, "malformed",
      "\(path) are not listed by '\(name.shortened(to: 60))'" + (meant ?? ""),
      help: "list them by any of: \(allowed)")
  }

  /// The list has more than is given without pages.
  static func tooMany(_ path: String) -> APIError {
    APIError(
      .badRequest, "tooManyItems",
      "there are more than \(longestPage) \(path), too many for one reply",
      help:
        "ask for pages with 'limit', and for the next one with the 'after' that a reply names as 'next'"
    )
  }
}
