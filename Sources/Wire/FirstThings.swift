// What comes first in an order, found without sorting all of it.

import HeapModule

package struct FirstThings<Key: Comparable, Thing> {
  private struct Entry: Comparable {
    let key: Key
    let thing: Thing

    static func < (a: Self, b: Self) -> Bool { a.key < b.key }
    static func == (a: Self, b: Self) -> Bool { a.key == b.key }
  }

  private let limit: Int
  private var entries = Heap<Entry>()

  /// - Parameter limit: so many are kept, and one more that tells that there are more.
  package init(limit: Int) { self.limit = limit }

  package mutating func add(_ key: Key, _ thing: @autoclosure () -> Thing) {
    if entries.count <= limit {
      entries.insert(Entry(key: key, thing: thing()))
    } else if let last = entries.max, key < last.key {
      entries.replaceMax(with: Entry(key: key, thing: thing()))
    }
  }

  /// In their order.
  package func sorted() -> (things: [Thing], last: Key?, hasMore: Bool) {
    let all = entries.unordered.sorted()
    let shown = all.prefix(limit)
    return (shown.map(\.thing), shown.last?.key, all.count > limit)
  }
}
