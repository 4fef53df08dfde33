// How a request names a model: `provider/model`, `provider/model:version`, `provider/model:alias`.

package struct ModelReference: Hashable, Sendable {
  static let longest = 256

  /// Provider and model in the normal form that names are compared in.
  package let model: String
  /// A version or an alias, in the normal form; none asks for any version that is ready.
  package let label: String?

  /// None when the text cannot name any model.
  package init?(_ text: String) {
    guard text.utf8.count <= Self.longest else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts[0].utf8.count(where: { $0 == 47 }) == 1,
      parts.allSatisfy({ !$0.isEmpty })
    else { return nil }
    model = Self.normal(parts[0])
    label = parts.count == 2 ? Self.normal(parts[1]) : nil
  }

  static func normal(_ name: some StringProtocol) -> String { name.lowercased() }
}
