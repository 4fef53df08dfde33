// A statement and its parameters. Interpolated values become parameters, never text.

/// One SQL statement.
///
///     "SELECT data FROM events WHERE position > \(after) LIMIT \(limit)"
///     "COPY"… has no parameters: see `Connection.copyOut`.
package struct Query: Sendable, Hashable {
  /// With `$1`, `$2` … where the parameters stand.
  package private(set) var sql: String
  package private(set) var parameters: [Parameter]

  /// Largest number of parameters in the wire protocol.
  package static let maximumParameters = 65_535

  package init(_ sql: String, _ parameters: [Parameter] = []) {
    precondition(parameters.count <= Self.maximumParameters, "too many parameters")
    precondition(!sql.utf8.contains(0), "a statement cannot hold a zero byte")
    self.sql = sql
    self.parameters = parameters
  }
}

extension Query: ExpressibleByStringInterpolation {
  package init(stringLiteral value: String) { self.init(value) }

  package init(stringInterpolation: StringInterpolation) {
    self.init(stringInterpolation.sql, stringInterpolation.parameters)
  }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sql: String
    fileprivate var parameters: [Parameter] = []

    package init(literalCapacity: Int, interpolationCount: Int) {
      sql = ""
      sql.reserveCapacity(literalCapacity + 3 * interpolationCount)
      parameters.reserveCapacity(interpolationCount)
    }

    package mutating func appendLiteral(_ literal: String) { sql += literal }

    package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
      appendInterpolation(value.postgresParameter)
    }

    package mutating func appendInterpolation(_ parameter: Parameter) {
      parameters.append(parameter)
      sql += "$\(parameters.count)"
    }

    /// JSON text, sent as `json`.
    package mutating func appendInterpolation(json text: String) {
      appendInterpolation(Parameter.json(text))
    }

    /// A table, column, schema, channel or database name; quoted, so case and signs are kept.
    package mutating func appendInterpolation(identifier name: String) {
      sql += Query.quoted(identifier: name)
    }
  }
}

extension Query {
  /// `"name"` with its quotes doubled, for statements that take no parameters.
  package static func quoted(identifier name: String) -> String {
    precondition(!name.isEmpty && !name.utf8.contains(0), "not a name: empty or with a zero byte")
    var quoted = "\""
    for character in name.unicodeScalars {
      if character == "\"" { quoted.unicodeScalars.append("\"") }
      quoted.unicodeScalars.append(character)
    }
    return quoted + "\""
  }
}

extension Query: CustomStringConvertible, CustomDebugStringConvertible {
  /// The text alone, shortened, without values.
  package var description: String { PostgresError.preview(sql) }
  package var debugDescription: String { description }
}
