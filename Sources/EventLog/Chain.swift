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
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
      previous.withBytes { bytes.copyMemory(from: $0) }
      digest.withBytes {
        UnsafeMutableRawBufferPointer(rebasing: bytes[32...]).copyMemory(from: $0)
      }
      return Digest(sha256Of: UnsafeRawBufferPointer(bytes))
    }
  }

  /// The digest of a row: all that others need to know of it to check the chain.
  package static func digest(of event: StoredEvent) -> Digest {
    let texts = Texts(event)
    // Mostly on the stack: this is done for every row that is ever read.
    return withUnsafeTemporaryAllocation(byteCount: texts.rowBytes, alignment: 1) { bytes in
      write(event, texts, to: bytes)
      return Digest(sha256Of: UnsafeRawBufferPointer(bytes))
    }
  }

  /// The exact bytes of a row that its digest is made of.
  package static func row(_ event: StoredEvent) -> [UInt8] {
    let texts = Texts(event)
    return [UInt8](unsafeUninitializedCapacity: texts.rowBytes) { buffer, count in
      write(event, texts, to: UnsafeMutableRawBufferPointer(buffer))
      count = texts.rowBytes
    }
  }

  /// The columns whose text is made for the row, and the size of the whole.
  private struct Texts {
    let stream: String
    let actor: String
    let rowBytes: Int

    init(_ event: StoredEvent) {
      stream = event.stream.description
      actor = event.actor.description
      let lengths = 12 * MemoryLayout<UInt32>.size
      let numbers = (event.causation == nil ? 3 : 4) * MemoryLayout<Int64>.size
      let ids = 2 * 16 + (event.commandHash == nil ? 0 : 32)
      rowBytes =
        lengths + numbers + ids + stream.utf8.count + event.type.utf8.count + event.data.count
        + event.metadata.count + actor.utf8.count
    }
  }

  private static func write(
    _ event: StoredEvent, _ texts: Texts, to bytes: UnsafeMutableRawBufferPointer
  ) {
    var encoding = Encoding(rest: bytes)
    encoding.field(event.position.value)
    encoding.field(texts.stream)
    encoding.field(event.type)
    encoding.field(Int64(event.schemaVersion))
    event.data.withUnsafeBytes { encoding.field($0) }
    event.metadata.withUnsafeBytes { encoding.field($0) }
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
    encoding.field(texts.actor)
    encoding.field(event.recordedAt.microseconds)
    precondition(encoding.rest.isEmpty, "a row is of the size that was counted")
  }

  private struct Encoding {
    /// What is still to be written.
    var rest: UnsafeMutableRawBufferPointer

    private mutating func put(_ value: UnsafeRawBufferPointer) {
      rest.copyMemory(from: value)
      rest = UnsafeMutableRawBufferPointer(rebasing: rest[value.count...])
    }

    private mutating func put(_ value: some FixedWidthInteger) {
      rest.storeBytes(of: value.bigEndian, as: type(of: value))
      rest = UnsafeMutableRawBufferPointer(rebasing: rest[(value.bitWidth / 8)...])
    }

    mutating func null() { put(UInt32.max) }

    mutating func field(_ value: UnsafeRawBufferPointer) {
      put(UInt32(value.count))
      put(value)
    }

    mutating func field(_ value: String) {
      var value = value
      value.withUTF8 { field(UnsafeRawBufferPointer($0)) }
    }

    mutating func field(_ value: Int64) {
      put(UInt32(8))
      put(value)
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
