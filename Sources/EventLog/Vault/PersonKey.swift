// The key of one person, and what is sealed with it. A seal is bound to its place: to the person, the
// position of the event and the name of the field. It is made without randomness: the nonce is a keyed
// digest of place and text, so deciding a batch anew never uses a nonce for another text.

import Crypto
import Hosting

struct PersonKey: Sendable, Equatable, CustomStringConvertible {
  static let byteCount = 32
  /// Texts are filled up to whole blocks, so that a box says little about the length of its text.
  private static let blockBytes = 32

  let bytes: [UInt8]
  private let sealing: SymmetricKey
  private let noncing: SymmetricKey

  init(bytes: [UInt8]) {
    precondition(bytes.count == Self.byteCount, "the key of a person has 32 bytes")
    self.bytes = bytes
    let key = SymmetricKey(data: bytes)
    sealing = Self.derived(from: key, "wharf personal data")
    noncing = Self.derived(from: key, "wharf personal data, nonces")
  }

  static func == (a: PersonKey, b: PersonKey) -> Bool { a.bytes == b.bytes }

  var description: String { "the key of a person" }

  fileprivate static func derived(from key: SymmetricKey, _ label: String) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: key, info: Array(label.utf8), outputByteCount: byteCount)
  }

  func seal(_ text: String, of person: ID<Person>, at position: Position, field: String)
    -> SealedBox
  {
    var bytes = Array(text.utf8)
    // No text of ours holds a zero.
    bytes += [UInt8](repeating: 0, count: Self.blockBytes - bytes.count % Self.blockBytes)
    let place = Self.place(person, position, field)
    let box = AuthenticBox.seal(bytes, sealing, nonceBy: noncing, place: place)
    return SealedBox(of: person, box: box)
  }

  /// - Returns: nil when the box was not sealed with this key for this place.
  func open(_ box: SealedBox, at position: Position, field: String) -> String? {
    let place = Self.place(box.of, position, field)
    guard let bytes = AuthenticBox.open(box.box, sealing, place: place) else { return nil }
    return String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func place(_ person: ID<Person>, _ position: Position, _ field: String) -> [UInt8]
  {
    Array("\(person) \(position) \(field)".utf8)
  }
}

/// The key that wraps the keys of persons where they are kept: made from the cluster secret, so that
/// neither the database alone nor the secret alone opens anything.
struct VaultKey: Sendable {
  private let wrapping: SymmetricKey
  private let noncing: SymmetricKey

  init(_ secret: ClusterSecret) {
    wrapping = secret.key(for: "wharf person keys")
    noncing = secret.key(for: "wharf person keys, nonces")
  }

  func wrap(_ key: PersonKey, of person: ID<Person>) -> [UInt8] {
    AuthenticBox.seal(key.bytes, wrapping, nonceBy: noncing, place: Array("\(person)".utf8))
  }

  /// - Returns: nil when it was wrapped under another cluster secret, or for someone else.
  func unwrap(_ box: [UInt8], of person: ID<Person>) -> PersonKey? {
    guard let bytes = AuthenticBox.open(box, wrapping, place: Array("\(person)".utf8)),
      bytes.count == PersonKey.byteCount
    else { return nil }
    return PersonKey(bytes: bytes)
  }
}

/// AES-GCM with a nonce from the text itself: nonce, ciphertext, tag.
enum AuthenticBox {
  private static let nonceBytes = 12

  static func seal(
    _ bytes: [UInt8], _ key: SymmetricKey, nonceBy noncing: SymmetricKey, place: [UInt8]
  ) -> [UInt8] {
    var code = HMAC<SHA256>(key: noncing)
    withUnsafeBytes(of: UInt32(place.count).bigEndian) { code.update(data: $0) }
    code.update(data: place)
    code.update(data: bytes)
    do {
      let nonce = try AES.GCM.Nonce(data: Array(code.finalize()).prefix(nonceBytes))
      let box = try AES.GCM.seal(bytes, using: key, nonce: nonce, authenticating: place)
      return Array(nonce) + Array(box.ciphertext) + Array(box.tag)
    } catch {
      preconditionFailure("sealing with a key and a nonce of their lengths failed: \(error)")
    }
  }

  static func open(_ box: [UInt8], _ key: SymmetricKey, place: [UInt8]) -> [UInt8]? {
    guard let sealed = try? AES.GCM.SealedBox(combined: box) else { return nil }
    return (try? AES.GCM.open(sealed, using: key, authenticating: place)).map { Array($0) }
  }
}
