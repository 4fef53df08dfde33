// Quantities in documents. A field whose type is a quantity takes it as people write it (`70GiB`). A field
// that names its unit takes a whole number (`cpuMillis: 500`), and without the unit's name it takes an amount
// that says its own (`cpu: 500m`): so nothing is read in a unit that the writer did not mean.

/// What is written with a unit in documents, and as a number between programs.
package protocol DocumentQuantity {
  init(document json: JSONValue) throws(JSONProblem)
}

enum DocumentUnit: String, CaseIterable {
  case millis = "Millis"
  case milliseconds = "Milliseconds"
  case seconds = "Seconds"
  case hours = "Hours"
  case days = "Days"

  /// `cpu` of `cpuMillis`; none of a field that names no unit.
  static func stem(of field: String, if isDocument: Bool) -> String? {
    guard isDocument, let unit = of(field) else { return nil }
    return String(field.dropLast(unit.rawValue.count))
  }

  /// Whether a field may be written so in a document, where the type knows it by its whole name.
  static func fields(of isField: @escaping (String) -> Bool) -> (String) -> Bool {
    { written in isField(written) || allCases.contains { isField(written + $0.rawValue) } }
  }

  private static func of(_ field: String) -> DocumentUnit? {
    allCases.first { field.hasSuffix($0.rawValue) && field.count > $0.rawValue.count }
  }

  /// The count of a field, from a whole number or, where it is written without its unit's name, from an
  /// amount.
  static func count(
    _ value: JSONValue, as field: String, writtenAs written: String
  ) throws(JSONProblem) -> Int {
    guard let unit = of(field), written != field else { return try whole(value, of(field), field) }
    let text = try value.scalarText()
    do {
      switch unit {
      case .millis: return try CPU(text).millis
      case .milliseconds: return try Span(text).whole(.milliseconds)
      case .seconds: return try Span(text).whole(.seconds)
      case .hours: return try Span(text).whole(.hours)
      case .days: return try Span(text).whole(.days)
      }
    } catch { throw JSONProblem(error.description) }
  }

  private static func whole(
    _ value: JSONValue, _ unit: DocumentUnit?, _ field: String
  ) throws(JSONProblem) -> Int {
    guard let text = try? value.string() else { return Int(try value.integer()) }
    let other = stem(of: field, if: true).map { ", or say the unit: \($0): \(unit!.example)" } ?? ""
    throw JSONProblem(
      "'\(text.shortened(to: 40))' is no count: write a whole number, without a unit or "
        + "quotes\(other)")
  }

  private var example: String {
    switch self {
    case .millis: "500m"
    case .milliseconds: "500ms"
    case .seconds: "30s"
    case .hours: "24h"
    case .days: "90d"
    }
  }
}

extension JSONValue {
  /// What was written, of a string or a number.
  func scalarText() throws(JSONProblem) -> String {
    if let text = try? string() { return text }
    _ = try number()
    return String(decoding: text, as: UTF8.self)
  }
}
