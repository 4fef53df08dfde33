// The credentials file: tokens by API, and which API is meant when none is named. Written by
// `wharf login`.

import Hosting
import Wire

struct Credentials: JSONRecord, Equatable {
  struct Entry: Codable, Equatable {
    var api: String
    var token: String
  }

  /// The API of the last login.
  var api: String?
  var entries: [Entry]

  static func load(_ around: Surroundings) throws(Failure) -> Credentials {
    let path = around.credentialsFile
    let text: String?
    do { text = try SecretFile.read(path, longest: PrivateFile.longestBytes) } catch {
      throw Failure(.refused, error.message, help: error.help)
    }
    guard let text else { return Credentials(api: nil, entries: []) }
    do { return try Credentials(jsonBytes: Array(text.utf8)) } catch {
      throw Failure(
        .refused, "cannot read \(path): \(error)", help: "remove it and log in again: wharf login")
    }
  }

  func token(for api: String) -> String? { entries.first { $0.api == api }?.token }

  mutating func keep(_ token: String, for api: String) {
    entries.removeAll { $0.api == api }
    entries.append(Entry(api: api, token: token))
    self.api = api
  }

  func save(_ around: Surroundings) throws(Failure) {
    try PrivateFile.write(around.credentialsFile, jsonBytes)
  }
}

extension String {
  func trimmingCharacters(while matches: (Character) -> Bool) -> String {
    var text = self[...]
    while let last = text.last, matches(last) { text.removeLast() }
    return String(text.drop(while: matches))
  }
}
