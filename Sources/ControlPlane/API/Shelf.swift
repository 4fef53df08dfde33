// A noun that can be read: its path, its list in pages, and how one of its things is found by what people call it.
// Lists, shows and diffs are made from this alone.

import Hosting
import Wire

struct Page<Item> {
  var items: [Item]
  /// Behind what the next one begins; none behind the last.
  var next: ListKey?
}

/// One noun's items. `find` is given a name, an id or a bare position; it gives nothing for what
/// the viewpoint does not hold, so a hidden thing and an unknown one are answered alike.
struct Shelf<Item: NounItem>: Sendable {
  let path: String
  /// What its list can be narrowed by.
  let filters: [String]
  /// What its list can be sorted by.
  let sorts: [String]
  let page: @Sendable (Viewpoint, ListQuery) throws -> Page<Item>
  let find: @Sendable (Viewpoint, String) -> Item?
  /// All of them, however many.
  let all: @Sendable (Viewpoint) -> [Item]
}

/// The things of a list.
enum Things<Thing> {
  /// In the list's order, from a key on, what stands before it left out as far as that is free.
  case inOrder(@Sendable (Viewpoint, _ from: ListKey?) -> any Sequence<Thing>)
  /// In no order.
  case all(@Sendable (Viewpoint) -> [Thing])
}

extension Shelf {
  /// The sort by which the list comes in its own order.
  static var name: String { "name" }

  /// - Parameters:
  ///   - key: where a thing stands in the list's own order.
  ///   - items: makes items; what is the same for all of a page is found out once.
  init<Thing>(
    _ path: String, filters: [ListFilter<Thing>] = [], sorts: [ListSort<Thing>] = [],
    key: @escaping @Sendable (Thing, Viewpoint) -> ListKey, things: Things<Thing>,
    items: @escaping @Sendable (Viewpoint) -> (Thing) -> Item,
    find: @escaping @Sendable (Viewpoint, String) -> Item?
  ) {
    self.path = path
    self.filters = filters.map(\.name)
    self.sorts = [Self.name] + sorts.map(\.name)
    self.find = find
    all = { view in
      let found: [Thing]
      switch things {
      case .inOrder(let things): found = Array(things(view, nil))
      case .all(let things):
        found = things(view).map { (key($0, view), $0) }.sorted { $0.0 < $1.0 }.map(\.1)
      }
      return found.map(items(view))
    }
    page = { view, query in
      let narrowings = try query.filters.compactMap { given in
        try filters.first { $0.name == given.name }?.narrow(view, given.value)
      }
      let passes = { (thing: Thing) in narrowings.allSatisfy { $0.passes(thing) } }
      let among = narrowings.compactMap(\.among).min { $0.count < $1.count }
      let sort = query.sort.flatMap { asked in sorts.first { $0.name == asked.name } }
      let limit = query.limit ?? ListQuery.longestPage
      let found: (things: [Thing], last: ListKey?, hasMore: Bool)
      if case .inOrder(let things) = things, among == nil, query.sort == nil {
        found = Self.first(
          limit, of: things(view, query.after), after: query.after, { key($0, view) }, passes)
      } else {
        var first = FirstThings<ListKey, Thing>(limit: limit)
        for thing in among ?? Self.all(things, view) where passes(thing) {
          var key = key(thing, view)
          key.sorted = query.sort.map { asked in
            ListKey.Sorted(value: sort?.value(thing, view) ?? 0, isReversed: asked.isReversed)
          }
          if let after = query.after, key <= after { continue }
          first.add(key, thing)
        }
        found = first.sorted()
      }
      if query.limit == nil, found.hasMore { throw ListQuery.tooMany(path) }
      return Page(items: found.things.map(items(view)), next: found.hasMore ? found.last : nil)
    }
  }

  private static func all<Thing>(_ things: Things<Thing>, _ view: Viewpoint) -> [Thing] {
    switch things {
    case .inOrder(let things): Array(things(view, nil))
    case .all(let things): things(view)
    }
  }

  /// Those that come first, of things that are in their order.
  private static func first<Thing>(
    _ limit: Int, of things: some Sequence<Thing>, after: ListKey?, _ key: (Thing) -> ListKey,
    _ passes: (Thing) -> Bool
  ) -> (things: [Thing], last: ListKey?, hasMore: Bool) {
    var found: [Thing] = []
    var isPast = after == nil
    for thing in things {
      if !isPast, let after {
        guard key(thing) > after else { continue }
        isPast = true
      }
      guard passes(thing) else { continue }
      if found.count == limit { return (found, found.last.map(key), true) }
      found.append(thing)
    }
    return (found, found.last.map(key), false)
  }

  /// A noun whose things have names.
  init<Element: Named>(
    _ path: String, _ catalog: @escaping @Sendable (HostingState) -> Catalog<Element>,
    filters: [ListFilter<Element>] = [], sorts: [ListSort<Element>] = [],
    items: @escaping @Sendable (Viewpoint) -> (Element) -> Item,
    called: @escaping @Sendable (Viewpoint, String) -> Element?
  ) {
    self.init(
      path, filters: filters, sorts: sorts + [.id { $0.id.position }],
      key: { element, _ in ListKey(element.nameKey, element.id.position.value) },
      things: .inOrder { view, from in catalog(view.state).inOrder(from: from?.words) },
      items: items, find: { view, text in called(view, text).map(items(view)) })
  }

  /// A noun whose things have plain names.
  init<Element: PlainlyCalled>(
    _ path: String, _ catalog: @escaping @Sendable (HostingState) -> Catalog<Element>,
    filters: [ListFilter<Element>] = [], sorts: [ListSort<Element>] = [],
    items: @escaping @Sendable (Viewpoint) -> (Element) -> Item
  ) {
    self.init(path, catalog, filters: filters, sorts: sorts, items: items) { view, text in
      Shelves.called(text, in: catalog(view.state))
    }
  }
}

extension ListSort {
  /// The order in which things came to be.
  static func id(_ position: @escaping @Sendable (Thing) -> Position) -> ListSort {
    ListSort("id") { thing, _ in position(thing).value }
  }
}
