// `GET /v1/diff?from=P&to=Q`: what differs between two states. Compared are the items that lists
// give, by their JSON, so a noun or field that is added is compared without a word here.

import HTTPTypes
import Hosting
import Hummingbird
import Wire

struct DiffRoute: Sendable {
  let source: ReadSource

  func add(to routes: RouterGroup<some RequestContext>) {
    routes.get("diff") { request, _ in try await diff(request) }
  }

  private func diff(_ request: Request) async throws -> Response {
    guard let from = request.uri.queryParameters["from"].map(String.init) else {
      throw APIError(
        .badRequest, "malformed", "the parameter 'from' is missing",
        help: "name a position, a time or a mark")
    }
    let now = try await source.context(request)
    let earlier = try await source.context(now, asOf: from)
    let later =
      try await request.uri.queryParameters["to"].map(String.init)
      .asyncMap { try await source.context(now, asOf: $0) } ?? now
    return try await source.budgets.reads.run(for: now.principal) {
      later.reply(items: Self.items(earlier.recorded, later.recorded))
    }
  }

  static func items(_ a: Viewpoint, _ b: Viewpoint) -> [DiffItem] {
    compare(Shelves.providers, a, b) + compare(Shelves.agreements, a, b)
      + compare(Shelves.engines, a, b) + compare(Shelves.models, a, b)
      + compare(Shelves.teams, a, b) + compare(Shelves.keys, a, b)
      + compare(Shelves.persons, a, b) + compare(Shelves.deployments, a, b)
      + compare(Shelves.nodes, a, b) + compare(Shelves.gateways, a, b)
      + compare(Shelves.marks, a, b)
  }

  private static func compare<Item>(
    _ shelf: Shelf<Item>, _ a: Viewpoint, _ b: Viewpoint
  ) -> [DiffItem] {
    let before = shelf.all(a)
    let after = shelf.all(b)
    let old = Dictionary(before.map { ($0.id, $0) }) { first, _ in first }
    let kept = Set(after.map(\.id))
    let changed = after.compactMap { item -> DiffItem? in
      let earlier = old[item.id]
      if earlier == item { return nil }
      return diff(earlier, item)
    }
    return before.filter { !kept.contains($0.id) }.compactMap { diff($0, nil) } + changed
  }

  private static func diff<Item: NounItem>(_ a: Item?, _ b: Item?) -> DiffItem? {
    guard let either = b ?? a else { return nil }
    let change: DiffItem.Change = a == nil ? .added : b == nil ? .removed : .changed
    return DiffItem(
      kind: Item.kind, id: either.id, name: either.label, change: change,
      fields: JSONDifference.fields(a.map(text), b.map(text)))
  }

  private static func text(_ item: some Encodable) -> [UInt8] { JSONEncoding.bytes(of: item) }
}

/// Where two JSON texts of our own writing differ.
enum JSONDifference {
  /// By these an element of a list is known again, whatever its place.
  private static let identifying = ["name", "model", "label", "alias", "audience", "attempt", "id"]

  static func fields(_ a: [UInt8]?, _ b: [UInt8]?) -> [DiffItem.Field] {
    do {
      var fields: [DiffItem.Field] = []
      try add(
        a.map { try JSONValue(document: $0) }, b.map { try JSONValue(document: $0) }, at: "",
        to: &fields)
      return fields
    } catch {
      preconditionFailure("what this program wrote cannot be read: \(error)")
    }
  }

  private static func add(
    _ a: JSONValue?, _ b: JSONValue?, at path: String, to fields: inout [DiffItem.Field]
  ) throws {
    if let a, let b, a.text == b.text { return }
    let parts = try children(a) ?? (a == nil ? [] : nil)
    let others = try children(b) ?? (b == nil ? [] : nil)
    // Inside the item itself one side may be missing; below, what is on one side is told whole.
    guard let parts, let others, path.isEmpty || (a != nil && b != nil) else {
      let side = { (value: JSONValue?) in value.map { RawJSON(text: $0.text) } }
      return fields.append(DiffItem.Field(field: path, from: side(a), to: side(b)))
    }
    let new = Dictionary(others) { first, _ in first }
    let known = Set(parts.map(\.0))
    let inner = { (key: String) in path.isEmpty ? String(key.drop { $0 == "." }) : path + key }
    for (key, value) in parts { try add(value, new[key], at: inner(key), to: &fields) }
    for (key, value) in others where !known.contains(key) {
      try add(nil, value, at: inner(key), to: &fields)
    }
  }

  /// The parts of a value with the text that each adds to the path; none for what is compared
  /// whole.
  private static func children(_ value: JSONValue?) throws -> [(String, JSONValue)]? {
    guard let value else { return nil }
    switch value.text.first {
    case UInt8(ascii: "{"):
      return try value.fields().map { ("." + $0.key, $0.value) }
    case UInt8(ascii: "["):
      let named = try value.list().map { element in (try name(of: element), element) }
      let names = named.compactMap(\.0)
      guard names.count == named.count, Set(names).count == names.count else { return nil }
      return zip(names, named).map { ("[\($0)]", $1.1) }
    default: return nil
    }
  }

  private static func name(of element: JSONValue) throws -> String? {
    guard element.text.first == UInt8(ascii: "{") else { return nil }
    let fields = try element.fields()
    for key in identifying {
      if let value = fields.first(where: { $0.key == key })?.value, let text = try? value.string() {
        return text
      }
    }
    return nil
  }
}

extension Optional where Wrapped == String {
  fileprivate func asyncMap<T>(_ transform: (String) async throws -> T) async rethrows -> T? {
    guard let self else { return nil }
    return try await transform(self)
  }
}
