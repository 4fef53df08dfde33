// Where a wharfd answers, as people and machines are told it: `http://HOST:PORT`. What is no address is refused
// where it is given: HTTP clients fail late on it, or trap.

import Hosting

package struct ServerAddress: Hashable, Sendable {
  private static let ports = 1...65_535

  /// With its scheme, and without a slash at its end. A path is one of a proxy before it.
  package let text: String

  /// `127.0.0.1:7400` is an address too.
  package init(_ given: String) throws(Malformed) {
    var whole = given.contains("://") ? given : "http://\(given)"
    while whole.hasSuffix("/") { whole.removeLast() }
    guard whole.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), let sign = whole.firstRange(of: "://"),
      ["http", "https"].contains(whole[..<sign.lowerBound].lowercased()),
      !whole.contains(where: { "?#".contains($0) }),
      Self.isAuthority(whole[sign.upperBound...].prefix { $0 != "/" })
    else {
      throw Malformed(
        "'\(given.shortened(to: 80))' is no address of a wharfd: write http://127.0.0.1:7400")
    }
    // That is where every path of a wharfd begins, so it is left out as often as not.
    if whole[sign.upperBound...].drop(while: { $0 != "/" }).hasSuffix("/v1") {
      whole.removeLast("/v1".count)
      while whole.hasSuffix("/") { whole.removeLast() }
    }
    text = whole
  }

  private static func isAuthority(_ authority: Substring) -> Bool {
    // The colons of an IPv6 address stand in brackets.
    let hostEnd =
      authority.first == "["
      ? authority.firstIndex(of: "]").map { authority.index(after: $0) }
      : authority.firstIndex(of: ":") ?? authority.endIndex
    guard let hostEnd, hostEnd > authority.startIndex else { return false }
    let rest = authority[hostEnd...]
    if rest.isEmpty { return true }
    guard rest.first == ":", rest.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else {
      return false
    }
    return Int(rest.dropFirst()).map(ports.contains) ?? false
  }
}
