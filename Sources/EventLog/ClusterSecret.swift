// The secret that all wharfd of one system share. It keys the seals of commands, so that a seal
// says nothing about a short body, and the engine keys of attempts. Kept in a file, never in the log.

import Crypto
import Hosting

import struct Hosting.Digest

package struct ClusterSecret: Sendable, CustomStringConvertible {
  package static let byteCount = 32

  private let key: SymmetricKey
  /// Has taken in the key; every seal goes on from a copy.
  private let keyed: HMAC<SHA256>

  package init(bytes: [UInt8]) {
    precondition(bytes.count == Self.byteCount, "a cluster secret has 32 bytes")
    key = SymmetricKey(data: bytes)
    keyed = HMAC(key: key)
  }

  /// A keyed digest of what follows a label, so that no use of the secret can stand for another.
  package func seal(_ label: String, _ parts: [UInt8]...) -> Digest {
    var message: [UInt8] = []
    message.reserveCapacity(parts.reduce(label.utf8.count + 4) { $0 + $1.count + 4 })
    for part in [Array(label.utf8)] + parts {
      withUnsafeBytes(of: UInt32(part.count).bigEndian) { message.append(contentsOf: $0) }
      message.append(contentsOf: part)
    }
    var code = keyed
    // One call for all: each goes through generic code of another module.
    code.update(data: message)
    return code.finalize().withUnsafeBytes { Digest(raw: $0) }
  }

  /// A key for one use, from which neither the secret nor another use's key can be found.
  func key(for label: String) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(
      inputKeyMaterial: key, info: Array(label.utf8), outputByteCount: Self.byteCount)
  }

  /// Tells this secret from others, and nothing of it: recorded in the log, which it belongs to.
  package var fingerprint: Digest { seal("wharf cluster secret fingerprint") }

  package var description: String { "cluster secret" }
}
