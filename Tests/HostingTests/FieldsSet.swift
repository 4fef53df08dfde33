// Which fields examples of a type have set, found by reflection: an optional that is nil in all of them, or
// a list that is empty in all, is stored in a form that no test has ever seen.

struct FieldsSet {
  private var isSet: [String: Bool] = [:]

  /// Fields that were met, and set in no example: `nodeReported.attempts[].ordered`.
  var never: [String] { isSet.filter { !$0.value }.keys.sorted() }

  var count: Int { isSet.count }

  /// - Parameter name: whose fields these are; examples of one type share it.
  mutating func note(_ value: Any, of name: String) {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      note(isEmpty: mirror.children.isEmpty, name)
      for child in mirror.children { note(child.value, of: name) }
    case .collection, .set, .dictionary:
      note(isEmpty: mirror.children.isEmpty, name)
      for child in mirror.children { note(child.value, of: "\(name)[]") }
    case .struct, .enum, .tuple:
      for child in mirror.children { note(child.value, of: "\(name).\(child.label ?? "?")") }
    default: break
    }
  }

  private mutating func note(isEmpty: Bool, _ name: String) {
    isSet[name] = isSet[name] == true || !isEmpty
  }
}
