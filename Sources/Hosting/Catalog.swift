// Things of one kind, by id and by name. Persistent maps, so that a copy of the state is free.

import HashTreeCollections

package protocol Named: Identified, Equatable, Sendable {
  var id: ID<Self> { get }
  /// How people call it, as they wrote it: `xai`, `xai/grok-3`.
  var label: String { get }
  /// The normal form of the label, unique within the kind.
  var nameKey: String { get }
  /// What is known of all things of this kind together.
  associatedtype Together: Summary = NoSummary<Self> where Together.Element == Self
}

/// A thing called by one plain name, or by none any more.
package protocol PlainlyCalled: Named {}

/// A thing called by one plain name.
package protocol PlainlyNamed: PlainlyCalled {
  var name: Name { get }
}

extension PlainlyNamed {
  package var label: String { name.text }
  package var nameKey: String { name.key }
}

package struct Catalog<Element: Named>: Equatable, Sendable {
  package private(set) var byID: TreeDictionary<ID<Element>, Element> = [:]
  private var idByName: TreeDictionary<String, ID<Element>> = [:]
  private var order = Ordered<String>()
  package private(set) var summary = Element.Together()

  package init() {}

  package var count: Int { byID.count }

  package subscript(id: ID<Element>) -> Element? { byID[id] }

  package func keyed(_ key: String) -> Element? { idByName[key].flatMap { byID[$0] } }

  /// All, in the order of their names.
  package var sorted: [Element] { Array(inOrder()) }

  /// Those from this name on, in the order of their names; each is looked up as it is asked for.
  package func inOrder(from name: String? = nil) -> some Sequence<Element> {
    order.elements(from: name).lazy.compactMap { keyed($0) }
  }

  package mutating func insert(_ element: Element) throws(Contradiction) {
    guard byID[element.id] == nil, idByName[element.nameKey] == nil else {
      throw Contradiction("\(element.id) '\(element.label)' is already there")
    }
    byID[element.id] = element
    idByName[element.nameKey] = element.id
    order.insert(element.nameKey)
    summary.add(Element.Together.part(of: element), of: element.id)
  }

  package mutating func update(
    _ id: ID<Element>, _ change: (inout Element) -> Void
  ) throws(Contradiction) {
    guard var element = byID[id] else { throw Contradiction("there is no \(id)") }
    let key = element.nameKey
    let part = Element.Together.part(of: element)
    change(&element)
    byID[id] = element
    let changed = Element.Together.part(of: element)
    if part != changed {
      summary.remove(part, of: id)
      summary.add(changed, of: id)
    }
    guard element.nameKey != key else { return }
    guard idByName[element.nameKey] == nil else {
      throw Contradiction("\(id) cannot be called '\(element.label)': another is")
    }
    idByName[key] = nil
    idByName[element.nameKey] = id
    order.remove(key)
    order.insert(element.nameKey)
  }

  /// Ends a thing: its name is free again.
  package mutating func remove(_ id: ID<Element>) throws(Contradiction) {
    guard let element = byID.removeValue(forKey: id) else {
      throw Contradiction("there is no \(id)")
    }
    idByName[element.nameKey] = nil
    order.remove(element.nameKey)
    summary.remove(Element.Together.part(of: element), of: id)
  }
}

extension Catalog where Element: PlainlyCalled {
  package func named(_ name: Name) -> Element? { keyed(name.key) }

  /// The element of this name, or a refusal that says it is unknown.
  package func require(_ name: Name) throws(Refusal) -> Element {
    guard let element = named(name) else { throw .unknown(Element.kind, name.text) }
    return element
  }

  package func requireFree(_ name: Name) throws(Refusal) {
    if let taken = named(name) { throw .nameTaken(Element.kind, name.text, by: taken.id.stream) }
  }
}
