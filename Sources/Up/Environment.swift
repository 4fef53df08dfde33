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

  /// What speaks to the CLI (and may hold a token), or names a database of other use.
  private static let notForPrograms: Set<String> = [
    "WHARF_TOKEN", "WHARF_API", "WHARF_DATABASE_URL",
  ]

  /// Our own, without that, and without what would turn PostgreSQL's programs and libpq elsewhere.
  static func forPrograms(_ layout: Layout) -> [String: String] {
    var variables = own.filter { !$0.key.hasPrefix("PG") && !notForPrograms.contains($0.key) }
    variables[mark] = layout.data
    return variables
  }

  /// So that neither its messages nor the order of its texts depend on who calls.
  static func forPostgres(_ layout: Layout) -> [String: String] {
    var variables = forPrograms(layout).filter { !$0.key.hasPrefix("LC_") && $0.key != "LANGUAGE" }
    variables["LC_ALL"] = "C"
    return variables
  }
}
