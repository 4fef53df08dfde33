// Where PostgreSQL is and how long we wait for it. Holds a password, so it describes itself with care.

import CLibPQ

/// Connection settings, parsed from a URL or a libpq connection string.
///
/// `postgres://user:password@host:port/database?host=/socket/folder` and `host=… dbname=…` both work:
/// libpq parses them, and fills gaps from its environment variables and service files.
package struct PostgresConfiguration: Sendable, Hashable {
  /// libpq keywords and values as given, without those that were left out.
  private var settings: [String: String]

  package static let defaultConnectTimeoutSeconds = 10
  package static let defaultStatementTimeoutSeconds = 30
  package static let defaultCancelGraceSeconds = 5

  /// Bounds the whole of connecting: name look-up aside, which libpq does not let us bound.
  package var connectTimeoutSeconds: Int = defaultConnectTimeoutSeconds
  /// How long a statement may take when the call names no timeout; nil: for ever. When reading a
  /// stream of rows it bounds each pause between rows, not the whole.
  package var statementTimeout: Duration? = .seconds(defaultStatementTimeoutSeconds)
  /// How long the server may take to end a statement that was cancelled or timed out. Past it the
  /// connection is given up.
  package var cancelGrace: Duration = .seconds(defaultCancelGraceSeconds)

  /// - Throws: `invalidConfiguration`; the message never repeats the text, which may hold a password.
  package init(_ text: String) throws(PostgresError) {
    guard !text.utf8.contains(0), let options = PQconninfoParse(text, nil) else {
      throw PostgresError(
        .invalidConfiguration,
        "the text is neither a URL that libpq understands nor a list of key=value pairs",
        attempted: "read the database URL",
        hint: "expected postgres://user@host:port/database or, for a socket, "
          + "postgres:///database?host=/socket/folder (percent-encode special characters)")
    }
    defer { PQconninfoFree(options) }
    settings = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val {
        settings[String(cString: keyword)] = String(cString: value)
      }
      option += 1
    }
    if let seconds = settings.removeValue(forKey: "connect_timeout").flatMap({ Int($0) }) {
      // libpq reads zero and below as "wait for ever", which we never do.
      connectTimeoutSeconds = seconds > 0 ? seconds : Self.defaultConnectTimeoutSeconds
    }
  }

  /// The name that `pg_stat_activity` shows.
  package var applicationName: String {
    get { settings["application_name"] ?? settings["fallback_application_name"] ?? "wharf" }
    set { settings["application_name"] = newValue }
  }

  package var database: String? {
    get { settings["dbname"] }
    set { settings["dbname"] = newValue }
  }

  package var user: String? {
    get { settings["user"] }
    set { settings["user"] = newValue }
  }

  package var host: String? {
    get { settings["host"] ?? settings["hostaddr"] }
    set { settings["host"] = newValue }
  }

  package var port: String? {
    get { settings["port"] }
    set { settings["port"] = newValue }
  }

  /// What goes to libpq: what was given, and what we insist on.
  var keywordValues: [(String, String)] {
    var all = settings
    all["client_encoding"] = "UTF8"
    if all["application_name"] == nil { all["fallback_application_name"] = applicationName }
    return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// Names host, port, database and user, nothing else.
  package var description: String {
    var parts: [String] = []
    if let host { parts.append("host \(host)") }
    if let port { parts.append("port \(port)") }
    if let database { parts.append("database \(database)") }
    if let user { parts.append("user \(user)") }
    return parts.isEmpty ? "PostgreSQL at libpq's defaults" : parts.joined(separator: ", ")
  }

  package var debugDescription: String { description }

  /// Keeps `dump` and failed test expectations from listing the password.
  package var customMirror: Mirror { Mirror(self, children: ["server": description]) }
}
