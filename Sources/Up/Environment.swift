// What the programs of a system see of the environment that `wharf up` was called in.

import Glibc

package enum Environment {
  /// Every program of a system carries it, with the data folder as its value.
  package static let mark = "WHARF_UP"

  package static var own: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee.map({ String(cString: $0) }) {
      if let equals = text.firstIndex(of: "=") {
        variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
      }
      entry += 1
    }
    return variables
  }

  package static func home(_ environment: [String: String]) -> String? {
    if let home = environment["HOME"], home.hasPrefix("/") { return home }
    return getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) }
  }

  /// Our own, without what would turn PostgreSQL's programs and libpq elsewhere (`PG…`) and without
  /// what speaks to the CLI (`WHARF_…`, which may hold a token).
  static func forPrograms(_ layout: Layout) -> [String: String] {
    var variables = own.filter { !$0.key.hasPrefix("PG") && !$0.key.hasPrefix("WHARF_") }
    variables[mark] = layout.data
    return variables
  }

  /// As little as it needs, so that its messages and its files do not depend on who calls.
  static func forPostgres(_ layout: Layout) -> [String: String] {
    let ours = own
    var variables = ["LC_ALL": "C", mark: layout.data]
    for name in ["PATH", "TZ"] { variables[name] = ours[name] }
    return variables
  }
}
