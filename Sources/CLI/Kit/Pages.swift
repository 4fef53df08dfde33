// Lists are read in pages and shown as one. A page is of the moment at which it was asked for: what came or went
// meanwhile may be missing, all else is there once.

import Hosting
import Time
import Wire

enum Pages {
  /// Few enough that the first comes at once.
  static let items = 1_000
  /// Of a list that takes longer, it is told how far it is.
  private static let patience = Duration.seconds(1)

  /// - Parameter filters: what the list is narrowed by.
  /// - Returns: all of it, as if it had been one reply.
  static func all(
    of path: String, _ query: [(String, String)], filters: [(name: String, value: String)],
    _ client: Client
  ) async throws -> [UInt8] {
    let asked = query + filters.map { ($0.name, $0.value) } + [("limit", "\(items)")]
    let began = clocks.now
    var told = began
    var body = try await client.get(path, asked)
    var page = try Page(body)
    let missing = filters.map { "\($0.name)=\($0.value)" }.filter { !page.filters.contains($0) }
    if let filter = missing.first {
      throw Failure(
        .refused, "the wharfd at \(client.connection.api) cannot list \(path) by \(filter)",
        help: "upgrade it, or list them without that")
    }
    guard page.next != nil else { return body }
    var all = page
    while let next = page.next {
      if clocks.now - told >= patience {
        told = clocks.now
        if Terminal.current.isInteractive { Terminal.note("read \(all.items.count) \(path) …") }
      }
      body = try await client.get(path, asked + [("after", next)])
      page = try Page(body)
      all.items += page.items
    }
    return all.whole
  }

  /// A page as it came: the API's own text of each item, whatever is in it.
  private struct Page {
    let position: [UInt8]
    var items: [[UInt8]] = []
    var next: String?
    var filters: [String] = []

    init(_ body: [UInt8]) throws {
      do {
        let fields = Dictionary(try JSONValue(document: body).fields()) { first, _ in first }
        guard let position = fields["position"]?.text, let items = fields["items"] else {
          throw JSONProblem("it is no page of a list")
        }
        self.position = position
        self.items = try items.list().map(\.text)
        next = try fields["next"].flatMap { $0.isNull ? nil : try $0.string() }
        filters =
          try fields["filters"].map { $0.isNull ? [] : try $0.list().map { try $0.string() } } ?? []
      } catch let problem as JSONProblem {
        throw Failure(
          .refused, "cannot read the API's reply: \(problem)",
          help: "use the wharf of the same release as the wharfd")
      }
    }

    var whole: [UInt8] {
      Array(#"{"position":"#.utf8) + position + Array(#","items":["#.utf8)
        + Array(items.joined(separator: [UInt8(ascii: ",")])) + Array("]}".utf8)
    }
  }
}
