// Names in their order, kept as they come and go: a page of a list begins anywhere, and costs what it shows. In
// pieces, so that a copy of the state shares all but the piece that changed.

package struct NameOrder: Sendable {
  static let pieceLimit = 128

  /// None is empty; each ends before the next one begins.
  private var pieces: [[String]] = []

  package init() {}

  /// A name that is not there yet.
  mutating func insert(_ name: String) {
    guard !pieces.isEmpty else {
      pieces = [[name]]
      return
    }
    let index = min(piece(for: name), pieces.count - 1)
    pieces[index].insert(name, at: Self.place(of: name, in: pieces[index]))
    guard pieces[index].count > Self.pieceLimit else { return }
    // What comes in its order fills the last piece, and half of it would stay empty for good.
    let isAppended = index == pieces.count - 1 && pieces[index].last == name
    let kept = isAppended ? Self.pieceLimit : Self.pieceLimit / 2
    let rest = Array(pieces[index][kept...])
    pieces[index].removeSubrange(kept...)
    pieces.insert(rest, at: index + 1)
  }

  mutating func remove(_ name: String) {
    let index = piece(for: name)
    guard index < pieces.count else { return }
    let place = Self.place(of: name, in: pieces[index])
    guard place < pieces[index].count, pieces[index][place] == name else { return }
    pieces[index].remove(at: place)
    if pieces[index].isEmpty { pieces.remove(at: index) }
  }

  /// The names from this one on, whether it is there or not; all, if none is given.
  package func names(from first: String? = nil) -> Names {
    guard let first else { return Names(pieces: pieces, piece: 0, place: 0) }
    let index = piece(for: first)
    return Names(
      pieces: pieces, piece: index,
      place: index < pieces.count ? Self.place(of: first, in: pieces[index]) : 0)
  }

  package struct Names: Sequence, IteratorProtocol {
    fileprivate let pieces: [[String]]
    fileprivate var piece: Int
    fileprivate var place: Int

    package mutating func next() -> String? {
      guard piece < pieces.count else { return nil }
      let name = pieces[piece][place]
      place += 1
      if place == pieces[piece].count { (piece, place) = (piece + 1, 0) }
      return name
    }
  }

  /// The first piece that does not end before this name; behind the last one, if all do.
  private func piece(for name: String) -> Int {
    Self.first(in: pieces) { ($0.last ?? "") >= name }
  }

  private static func place(of name: String, in piece: [String]) -> Int {
    first(in: piece) { $0 >= name }
  }

  /// Of elements of which the last ones are so, the first.
  private static func first<Element>(in elements: [Element], _ isSo: (Element) -> Bool) -> Int {
    var (low, high) = (0, elements.count)
    while low < high {
      let middle = (low + high) / 2
      if isSo(elements[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

extension NameOrder: Equatable {
  package static func == (a: Self, b: Self) -> Bool { a.names().elementsEqual(b.names()) }
}
