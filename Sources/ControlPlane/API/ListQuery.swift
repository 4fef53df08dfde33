// What a list is asked for: which of its things, and which page of them. It is read strictly: a filter that
// nobody knows would show everything to a reader who asked for a part.

import HTTPTypes
import Hosting
import Hummingbird
import Wire

/// Where a thing stands in its list.
struct ListKey: Comparable, Sendable {
  /// What comes before the list's own order, in a list that is sorted.
  struct Sorted: Equatable {
    let value: Int64
    /// All of the order is, the list's own included.
    let isReversed: Bool
  }

  /// Without case; of several words, with a blank between them, which comes before whatever stands in a name.
  let words: String
  var number: Int64 = 0
  var sorted: Sorted?

  static func < (a: Self, b: Self) -> Bool {
    let (first, second) = a.sorted?.isReversed == true ? (b, a) : (a, b)
    return (first.sorted?.value ?? 0, first.words, first.number)
      < (second.sorted?.value ?? 0, second.words, second.number)
  }

  init(_ words: String, _ number: Int64 = 0) {
    self.words = words
    self.number = number
  }

  /// What `after` is given: of which list, in which order, and behind what.
  func text(in path: String, sortedBy sort: ListQuery.Sort? = nil) -> String {
    let value = sorted.map { "\($0.value):" } ?? ""
    return "\(Self.list(path, sort)):\(value)\(number):\(words)"
  }

  init?(text: String, in path: String, sortedBy sort: ListQuery.Sort? = nil) {
    let count = sort == nil ? 3 : 4
    let parts = text.split(
      separator: ":", maxSplits: count - 1, omittingEmptySubsequences: false)
    guard parts.count == count, parts[0] == Self.list(path, sort),
      let number = Int64(parts[count - 2])
    else { return nil }
    self.init(String(parts[count - 1]), number)
    if let sort {
      guard let value = Int64(parts[1]) else { return nil }
      sorted = Sorted(value: value, isReversed: sort.isReversed)
    }
  }

  private static func list(_ path: String, _ sort: ListQuery.Sort?) -> String {
    sort.map { "\(path) by \($0.text)" } ?? path
  }
}

struct ListQuery: Sendable {
  /// A page has no more items, and no more things are listed without pages.
  static let longestPage = 10_000
  private static let words = ["limit", "after", "sort", "fields", "asOf"]

  struct Sort: Equatable, Sendable {
    let name: String
    let isReversed: Bool

    /// `-freeDevices`
    var text: String { (isReversed ? "-" : "") + name }
  }

  /// None: all are asked for at once.
  var limit: Int?
  var after: ListKey?
  /// None: the list's own order.
  var sort: Sort?
  /// None: whole items are asked for.
  var fields: [String]?
  var filters: [(name: String, value: String)] = []

  /// `sort` and `fields` as they were given.
  private var shape: [String] = []

  /// What it was asked for that not every wharfd knows, each as `name=value`.
  var understood: [String] { filters.map { "\($0.name)=\($0.value)" } + shape }

  /// All there is, as the programs of before ask for it.
  static let everything = ListQuery()

  private init() {}

  init<Item>(_ request: Request, of shelf: Shelf<Item>) throws {
    try self.init(request, of: shelf, filters: shelf.filters)
  }

  /// - Parameter known: the filters that may be given.
  init<Item>(_ request: Request, of shelf: Shelf<Item>, filters known: [String]) throws {
    let path = shelf.path
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
    let orders = "one of \(shelf.sorts.joined(separator: ", ")), with - before it for the reverse"
    let sort = try request.named("sort", orders) { text in
      let isReversed = text.hasPrefix("-")
      let name = isReversed ? String(text.dropFirst()) : text
      return shelf.sorts.contains(name) ? Sort(name: name, isReversed: isReversed) : nil
    }
    self.sort = sort?.text == Shelf<Item>.name ? nil : sort
    fields = try request.named(
      "fields", "some of \(Item.fieldNames.joined(separator: ", ")), with commas between them"
    ) { text in
      let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      return names.allSatisfy(Item.fieldNames.contains) ? names : nil
    }
    for name in ["sort", "fields"] {
      if let given = request.uri.queryParameters[Substring(name)] {
        shape.append("\(name)=\(given)")
      }
    }
    let list = path + (self.sort.map { " sorted by \($0.text)" } ?? "")
    after = try request.named("after", "the 'next' of a page of \(list)") { [sort = self.sort] in
      ListKey(text: $0, in: path, sortedBy: sort)
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
