// The coders of records, as Swift source: for each struct those that its declaration asks for, with the
// fields in their order. What is written is plain code that specialises as if written by hand: a list of
// fields that is walked at run time costs the fold five times as much a record.

/// What a declaration may ask for.
private enum Coder: CaseIterable {
  /// Written as JSON text without a detour through Codable.
  case json
  /// Read from the text that the other writes, on the fold's hot path.
  case canonical
  /// Its place in a snapshot of the state.
  case snapshot
  /// The names of its fields: what may be asked of it.
  case names

  /// The protocols that ask for it.
  var askedBy: Set<String> {
    switch self {
    case .json: ["JSONWritable", "Event", "Command", "NounItem"]
    case .canonical: ["CanonicallyRead", "Event"]
    case .snapshot: ["SnapshotValue"]
    case .names: ["NounItem"]
    }
  }
}

package enum Coders {
  /// What is wrong with a record: a field whose type cannot be read from its declaration.
  package struct Problem: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
  }

  /// The source of all coders that one file's records ask for; nil when they ask for none.
  package static func source(
    for file: String, _ source: String, importing imports: [String] = []
  ) throws(Problem) -> String? {
    var parts: [String] = []
    for record in Record.read(source) {
      for coder in Coder.allCases where !coder.askedBy.isDisjoint(with: record.protocols) {
        parts.append(try text(coder, record, file))
      }
    }
    guard !parts.isEmpty else { return nil }
    return """
      // Written by `swift run wharf-records` from the fields in \(file); not changed by hand.

      \(imports.map { "import \($0)\n" }.joined())\(imports.isEmpty ? "" : "\n")\(parts.joined(separator: "\n\n"))

      """
  }

  private static func text(
    _ coder: Coder, _ record: Record, _ file: String
  ) throws(Problem) -> String {
    switch coder {
    case .json:
      json(
        record,
        try record.fields.map { field throws(Problem) in
          (field.name, try isOptional(field, record, file))
        })
    case .canonical:
      canonical(
        record,
        try record.fields.map { field throws(Problem) in
          (field.name, try type(field, record, file))
        })
    case .snapshot: snapshot(record)
    case .names: names(record)
    }
  }

  private static func type(
    _ field: Record.Field, _ record: Record, _ file: String
  ) throws(Problem) -> String {
    guard let type = field.type else {
      throw Problem(
        description: "\(file):\(field.line): cannot write coders for \(record.name): the field "
          + "'\(field.name)' does not say its type; write 'let \(field.name): Type'")
    }
    return type
  }

  private static func isOptional(
    _ field: Record.Field, _ record: Record, _ file: String
  ) throws(Problem) -> Bool {
    try type(field, record, file).hasSuffix("?")
  }

  private static func json(_ record: Record, _ fields: [(name: String, isOptional: Bool)]) -> String
  {
    let lines = fields.map {
      "    json.\($0.isOptional ? "optional" : "field")(\"\($0.name)\", \($0.name))\n"
    }
    return """
      extension \(record.name) {
        package func write(to json: inout JSONWriter) {
          json.openObject()
      \(lines.joined())    json.closeObject()
        }
      }
      """
  }

  private static func canonical(_ record: Record, _ fields: [(name: String, type: String)])
    -> String
  {
    let lines = fields.map { name, type in
      type.hasSuffix("?")
        ? "      let \(name) = reader.optional(\"\(name)\", \(element(type.dropLast()))),\n"
        : "      let \(name) = reader.field(\"\(name)\", \(element(type[...]))),\n"
    }
    return """
      extension \(record.name) {
        package init?(canonical reader: inout CanonicalReader) {
          guard reader.open(),
      \(lines.joined())      reader.close()
          else { return nil }
          \(call(fields.map { "\($0.name): \($0.name)" }))
        }
      }
      """
  }

  /// On a line where it fits on one.
  private static func call(_ arguments: [String]) -> String {
    let line = "self.init(\(arguments.joined(separator: ", ")))"
    return line.count <= 96
      ? line : "self.init(\n      \(arguments.joined(separator: ",\n      ")))"
  }

  private static func element(_ type: Substring) -> String { "\(type).self" }

  private static func snapshot(_ record: Record) -> String {
    let reads = record.fields.map { "\($0.name): snapshot.read()" }
    let writes = record.fields.map { "    snapshot.write(\($0.name))\n" }
    return """
      extension \(record.name) {
        package init(from snapshot: inout SnapshotReader) throws(SnapshotDamage) {
          try self.init(
            \(reads.joined(separator: ",\n      ")))
        }
        package func write(to snapshot: inout SnapshotWriter) {
      \(writes.joined())  }
      }
      """
  }

  private static func names(_ record: Record) -> String {
    """
    extension \(record.name) {
      package static let fieldNames = [
    \(record.fields.map { "    \"\($0.name)\",\n" }.joined())  ]
    }
    """
  }
}
