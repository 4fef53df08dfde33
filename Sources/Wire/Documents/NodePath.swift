// A path of a JSON problem, `terms.scope[0]`, walked in the YAML that the JSON was made from.

import Yams

struct NodePath {
  enum Part: Equatable {
    case field(String)
    case index(Int)
  }

  let parts: [Part]

  init(_ text: String) {
    parts = text.split(separator: ".").flatMap { piece -> [Part] in
      let opened = piece.split(separator: "[", omittingEmptySubsequences: false)
      let name = opened[0].isEmpty ? [] : [Part.field(String(opened[0]))]
      return name + opened.dropFirst().compactMap { Int($0.dropLast()).map { .index($0) } }
    }
  }

  /// What the path leads to, or as far as it leads.
  func find(in root: Yams.Node) -> Yams.Node {
    var node = root
    for part in parts {
      guard let next = Self.step(part, node) else { break }
      node = next
    }
    return node
  }

  /// The name of the field that the path ends in.
  func key(in root: Yams.Node) -> Yams.Node? {
    guard case .field(let name)? = parts.last else { return nil }
    var node = root
    for part in parts.dropLast() {
      guard let next = Self.step(part, node) else { return nil }
      node = next
    }
    return node.mapping?.first { $0.key.scalar?.string == name }?.key
  }

  private static func step(_ part: Part, _ node: Yams.Node) -> Yams.Node? {
    switch part {
    case .field(let name): node.mapping?.first { $0.key.scalar?.string == name }?.value
    case .index(let index):
      node.sequence.flatMap { $0.indices.contains(index) ? $0[index] : nil }
    }
  }
}
