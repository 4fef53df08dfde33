// Who asks, as a request says it: `Authorization: Bearer TOKEN`.

/// The token in the field's value: after one space or more, as the field may be written; none where it is
/// of another scheme.
package func bearerToken(in value: String) -> Substring? {
  let parts = value.split(separator: " ", maxSplits: 1)
  guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
  let token = parts[1].drop { $0 == " " }
  return token.isEmpty ? nil : token
}
