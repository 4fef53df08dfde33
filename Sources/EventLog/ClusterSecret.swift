// The secret that all wharfd of one system share. It keys the seals of commands, so that a seal
// says nothing about a short body, and the engine keys of attempts. Kept in a file, never in the log.

import Crypto
import Hosting

import struct Hosting.Digest

package struct ClusterSecret: Sendable, CustomStringConvertible {
  package static let byteCount = 32

  private let key: SymmetricKey

  package init(bytes: [UInt8]) {
    precondition(bytes.count == Self.byteCount, "a cluster secret has 32 bytes")
    key = SymmetricKey(data: bytes)
  }

  /// A keyed digest of what follows a label, so that no use of the secret can stand for another.
  package func seal(_ label: String, _ parts: [UInt8]...) -> Digest {
    var code = HMAC<SHA256>(key: key)
    for part in [Array(label.utf8)] + parts {
      withUnsafeBytes(of: UInt32(part.count).bigEndian) { code.update(data: $0) }
      code.update(data: part)
    }
    return Digest(bytes: Array(code.finalize()))
  }

  /// Tells this secret from others, and nothing of it: recorded in the log, which it belongs to.
  package var fingerprint: Digest { seal("wharf cluster secret fingerprint") }

  package var description: String { "cluster secret" }
}
