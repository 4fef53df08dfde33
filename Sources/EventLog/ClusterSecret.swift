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
    seal(label) { message in
      for part in parts { message.part(part) }
    }
  }

  /// The same, its parts written one after another into one piece of memory.
  func seal(_ label: String, _ write: (inout SealedMessage) -> Void) -> Digest {
    var message = SealedMessage()
    message.part(label)
    write(&message)
    var code = keyed
    // One call for all: each goes through generic code of another module.
    message.bytes.withUnsafeBytes { code.update(data: $0) }
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

/// What is sealed: parts, each after its length, so that no two lists of parts have the same bytes.
struct SealedMessage {
  fileprivate private(set) var bytes: [UInt8] = []

  fileprivate init() { bytes.reserveCapacity(512) }

  mutating func part(_ part: [UInt8]) {
    length(part.count)
    bytes.append(contentsOf: part)
  }

  mutating func part(_ part: String) {
    var part = part
    part.withUTF8 { utf8 in
      length(utf8.count)
      bytes.append(contentsOf: utf8)
    }
  }

  private mutating func length(_ count: Int) {
    withUnsafeBytes(of: UInt32(count).bigEndian) { bytes.append(contentsOf: $0) }
  }
}
