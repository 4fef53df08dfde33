// JSON out: bytes of what the engine says.

import Foundation

/// Traps on failure: everything given here is ours, and finite.
func encodeJSON(_ value: some Encodable) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  do {
    return Array(try encoder.encode(value))
  } catch {
    fatalError("cannot encode \(type(of: value)): \(error)")
  }
}
