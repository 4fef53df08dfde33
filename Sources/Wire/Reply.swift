// The form of every reply: its position, and items, an item, or an error.

import Hosting

/// `{"position": …, "items": […]}`
package struct ItemsReply<Item: Codable & JSONWritable & Sendable>: JSONRecord, JSONWritable,
  Sendable
{
  package var position: Position
  package var items: [Item]
  /// What to give as `after` for the page behind this one; none behind the last.
  package var next: String?
  /// What the list was narrowed by, each as `name=value`: whoever asks for a part sees that it is one. None where
  /// it was not narrowed, and from a wharfd that cannot.
  package var filters: [String]?

  package init(
    position: Position, items: [Item], next: String? = nil, filters: [String]? = nil
  ) {
    self.position = position
    self.items = items
    self.next = next
    self.filters = filters
  }
}

/// `{"position": …, "item": {…}}`
package struct ItemReply<Item: Codable & JSONWritable & Sendable>: JSONRecord, JSONWritable,
  Sendable
{
  package var position: Position
  package var item: Item
  package init(position: Position, item: Item) {
    self.position = position
    self.item = item
  }
}

/// `{"position": …, "error": {…}}`
package struct ErrorReply: JSONRecord, Equatable, Sendable {
  package var position: Position?
  package var error: Failure

  package struct Failure: Codable, Equatable, Sendable {
    /// Stable: programs switch on it.
    package var code: String
    package var message: String
    package var help: String?
    package init(code: String, message: String, help: String?) {
      self.code = code
      self.message = message
      self.help = help
    }
  }

  /// The code of a 503 that will not pass in a moment: the database is away for a while already.
  package static let databaseNotReachable = "databaseNotReachable"
  /// The code of a 404 for a path that there is not.
  package static let unknownRoute = "notFound"

  package init(position: Position?, error: Failure) {
    self.position = position
    self.error = error
  }
}

/// Names of Wharf's own HTTP headers.
package enum WharfHeader {
  /// On a request: answer from this position or a later one, or with 503.
  package static let after = "Wharf-After"
  /// On every reply: `ERA/POSITION/HASH` of the head that it was made from.
  package static let head = "Wharf-Head"
  /// On every reply: the name of the log, as signed heads carry it. Another name is another log.
  package static let log = "Wharf-Log"
  /// On a request that one wharfd sent on to another: nobody sends it on again.
  package static let forwarded = "Wharf-Forwarded"
}

extension HeadWitness {
  package var headerText: String { "\(era)/\(position)/\(hash)" }

  package init?(headerText: String) {
    let parts = headerText.split(separator: "/")
    guard parts.count == 3, let era = Position(text: parts[0]),
      let position = Position(text: parts[1]), let hash = Digest(String(parts[2]))
    else { return nil }
    self.init(era: era, position: position, hash: hash)
  }
}

/// A page of items of which some fields are told, in the items' own order.
package struct ChosenReply<Item: NounItem> {
  private let position: Position
  private let items: [Item]
  private let fields: Set<String>
  private let next: String?
  private let filters: [String]?

  package init(
    position: Position, items: [Item], fields: [String], next: String?, filters: [String]?
  ) {
    self.position = position
    self.items = items
    self.fields = Set(fields)
    self.next = next
    self.filters = filters
  }

  package var jsonBytes: [UInt8] {
    var json = JSONWriter()
    json.openObject()
    json.field("position", position)
    json.key("items")
    json.openList()
    for item in items { write(item, to: &json) }
    json.closeList()
    json.optional("next", next)
    json.optional("filters", filters)
    json.closeObject()
    return json.bytes
  }

  private func write(_ item: Item, to json: inout JSONWriter) {
    json.openObject()
    var whole = JSONWriter()
    item.write(to: &whole)
    // What an item writes of itself is an object of such fields.
    if let written = try? JSONValue(document: whole.bytes).fields() {
      for (name, value) in written where fields.contains(name) {
        json.key(name)
        json.raw(value.text)
      }
    }
    json.closeObject()
  }
}
