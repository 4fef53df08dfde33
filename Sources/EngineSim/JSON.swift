// JSON in and out. The API's fields are in snake_case, the engine log's in camelCase.

import Foundation

/// Traps on failure: everything given here is ours, and finite.
func encodeJSON(
  _ value: some Encodable, keys: JSONEncoder.KeyEncodingStrategy = .convertToSnakeCase
) -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = keys
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  do {
    return Array(try encoder.encode(value))
  } catch {
    fatalError("cannot encode \(type(of: value)): \(error)")
  }
}

/// - Throws: `DecodingError`, whose path has the names of our fields, not of the API's.
func decodeJSON<Value: Decodable>(_ type: Value.Type, from bytes: Data) throws -> Value {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(type, from: bytes)
}

/// `maxTokens` as the API spells it.
func apiName(_ field: String) -> String {
  field.reduce(into: "") { name, letter in
    name += letter.isUppercase ? "_\(letter.lowercased())" : String(letter)
  }
}
