// The hash chain. Anyone with SHA-256 can check it; Migrations/CHAIN.md holds a worked example that
// a test checks.
//
//   row(n)    = field(position) ‖ field(stream) ‖ field(type) ‖ field(schema_version) ‖ field(data)
//               ‖ field(metadata) ‖ field(command_id) ‖ field(command_hash) ‖ field(correlation_id)
//               ‖ field(causation) ‖ field(actor) ‖ field(recorded_at)
//   digest(n) = SHA-256( row(n) )
//   hash(n)   = SHA-256( hash(n-1) ‖ digest(n) )
//
// hash(0) is 32 zero bytes. A field is the length of its bytes as a 32-bit big-endian number, then
// the bytes; NULL is the length 0xFFFFFFFF alone. Texts and JSON are their exact UTF-8 bytes; UUIDs
// and hashes their raw bytes; position, schema_version and causation 64-bit big-endian numbers;
// recorded_at the microseconds since 1970-01-01T00:00:00Z as a 64-bit big-endian number.
//
// In two steps, so that a proof of some events needs only the digests of all others, which give
// nothing of them away; and so that the digests of many rows can be made at once.

import Crypto
import Hosting

import struct Hosting.Digest

package enum Chain {
  package static let origin = Digest.zero

  /// The hash of an event that follows `previous`. The event's own `hash` is not looked at.
  package static func hash(of event: StoredEvent, after previous: Digest) -> Digest {
    link(digest(of: event), after: previous)
  }

  /// The hash at a position: that of the position before, and the digest of the row.
  package static func link(_ digest: Digest, after previous: Digest) -> Digest {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64)
    previous.withBytes { bytes.append(contentsOf: $0) }
    digest.withBytes { bytes.append(contentsOf: $0) }
    return bytes.withUnsafeBytes { Digest(sha256Of: $0) }
  }

  /// The digest of a row: all that others need to know of it to check the chain.
  package static func digest(of event: StoredEvent) -> Digest {
    row(event).withUnsafeBytes { Digest(sha256Of: $0) }
  }

  /// The exact bytes of a row that its digest is made of.
  package static func row(_ event: StoredEvent) -> [UInt8] {
    var encoding = Encoding(capacity: event.data.count + event.metadata.count + 256)
    encoding.field(event.position.value)
    encoding.field(event.stream.description)
    encoding.field(event.type)
    encoding.field(Int64(event.schemaVersion))
    encoding.field(event.data)
    encoding.field(event.metadata)
    event.commandID.withBytes { encoding.field($0) }
    if let commandHash = event.commandHash {
      commandHash.withBytes { encoding.field($0) }
    } else {
      encoding.null()
    }
    event.correlationID.withBytes { encoding.field($0) }
    if let causation = event.causation {
      encoding.field(causation.value)
    } else {
      encoding.null()
    }
    encoding.field(event.actor.description)
    encoding.field(event.recordedAt.microseconds)
    return encoding.bytes
  }

  private struct Encoding {
    var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func length(_ count: UInt32) {
      withUnsafeBytes(of: count.bigEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func null() { length(.max) }

    mutating func field(_ value: UnsafeRawBufferPointer) {
      length(UInt32(value.count))
      bytes.append(contentsOf: value)
    }

    mutating func field(_ value: [UInt8]) {
      length(UInt32(value.count))
      bytes.append(contentsOf: value)
    }

    mutating func field(_ value: String) {
      length(UInt32(value.utf8.count))
      bytes.append(contentsOf: value.utf8)
    }

    mutating func field(_ value: Int64) {
      length(8)
      withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
  }
}

extension Digest {
  package init(sha256Of bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { Digest(sha256Of: $0) }
  }

  init(sha256Of bytes: UnsafeRawBufferPointer) {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    self = hash.finalize().withUnsafeBytes { Digest(raw: $0) }
  }
}
