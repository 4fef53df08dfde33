// Elements in their order, kept as they come and go: what comes first, or after any of them, is found at once, and
// costs what is looked at. In pieces, so that a copy of the state shares all but the piece that changed.

package struct Ordered<Element: Comparable & Sendable>: Sendable {
  static var pieceLimit: Int { 128 }

  /// None is empty; each ends before the next one begins.
  private var pieces: [[Element]] = []

  package init() {}

  /// One that is there is left as it is.
  mutating func insert(_ element: Element) {
    guard !pieces.isEmpty else {
      pieces = [[element]]
      return
    }
    let index = min(piece(for: element), pieces.count - 1)
    let place = Self.place(of: element, in: pieces[index])
    if place < pieces[index].count, pieces[index][place] == element { return }
    // What comes in its order fills the last piece, and half of it would stay empty for good.
    let isAppended = index == pieces.count - 1 && place == pieces[index].count
    pieces[index].insert(element, at: place)
    guard pieces[index].count > Self.pieceLimit else { return }
    let kept = isAppended ? Self.pieceLimit : Self.pieceLimit / 2
    let rest = Array(pieces[index][kept...])
    pieces[index].removeSubrange(kept...)
    pieces.insert(rest, at: index + 1)
  }

  /// One that is not there is left so.
  mutating func remove(_ element: Element) {
    let index = piece(for: element)
    guard index < pieces.count else { return }
    let place = Self.place(of: element, in: pieces[index])
    guard place < pieces[index].count, pieces[index][place] == element else { return }
    pieces[index].remove(at: place)
    if pieces[index].isEmpty { pieces.remove(at: index) }
  }

  /// Those from this one on, whether it is there or not; all, if none is given.
  package func elements(from first: Element? = nil) -> Elements {
    guard let first else { return Elements(pieces: pieces, piece: 0, place: 0) }
    let index = piece(for: first)
    return Elements(
      pieces: pieces, piece: index,
      place: index < pieces.count ? Self.place(of: first, in: pieces[index]) : 0)
  }

  package struct Elements: Sequence, IteratorProtocol {
    fileprivate let pieces: [[Element]]
    fileprivate var piece: Int
    fileprivate var place: Int

    package mutating func next() -> Element? {
      guard piece < pieces.count else { return nil }
      let element = pieces[piece][place]
      place += 1
      if place == pieces[piece].count { (piece, place) = (piece + 1, 0) }
      return element
    }
  }

  /// The first piece that does not end before this element; behind the last one, if all do.
  private func piece(for element: Element) -> Int {
    Self.first(in: pieces) { piece in piece.last.map { $0 >= element } ?? true }
  }

  private static func place(of element: Element, in piece: [Element]) -> Int {
    first(in: piece) { $0 >= element }
  }

  /// Of values of which the last ones are so, the first.
  private static func first<Value>(in values: [Value], _ isSo: (Value) -> Bool) -> Int {
    var (low, high) = (0, values.count)
    while low < high {
      let middle = (low + high) / 2
      if isSo(values[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension Ordered: Equatable {
  package static func == (a: Self, b: Self) -> Bool { a.elements().elementsEqual(b.elements()) }
}

extension Ordered: SnapshotValue where Element: SnapshotValue {
  package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
    self.init()
    for element in try snapshot.read([Element].self) { insert(element) }
  }
  package func write(to snapshot: inout SnapshotWriter) { snapshot.write(Array(elements())) }
}
