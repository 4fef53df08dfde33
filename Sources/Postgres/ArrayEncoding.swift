// Arrays in PostgreSQL's binary format, written into one buffer of exactly the right size, since
// batches of hundreds of rows travel as arrays (`INSERT … SELECT FROM unnest($1, $2, …)`).
//
// int32 dimensions (0 or 1) · int32 has-nulls · uint32 element type · then, unless it is empty,
// int32 count · int32 lower bound (1) · and per element int32 length (-1: NULL) · bytes

enum ArrayEncoding {
  private static let headerBytes = 12
  private static let dimensionBytes = 8
  private static let lengthBytes = 4

  /// Elements of any size, none of them NULL.
  static func variable<Element>(
    _ elements: [Element], oid: UInt32, elementOID: UInt32, size: (Element) -> Int,
    write: (Element, UnsafeMutableRawBufferPointer) -> Void
  ) -> Parameter {
    var payload = 0
    for element in elements { payload += size(element) }
    let bytes = build(elements.count, payload, elementOID, hasNulls: false) { target in
      var offset = 0
      for element in elements {
        let count = size(element)
        put(Int32(count), in: target, at: &offset)
        write(element, UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + count]))
        offset += count
      }
    }
    return Parameter(oid: oid, bytes: bytes)
  }

  /// Elements of which some may be NULL.
  static func nullable<Element>(
    _ elements: [Element?], oid: UInt32, elementOID: UInt32, size: (Element) -> Int,
    write: (Element, UnsafeMutableRawBufferPointer) -> Void
  ) -> Parameter {
    var payload = 0
    var hasNulls = false
    for element in elements {
      if let element { payload += size(element) } else { hasNulls = true }
    }
    let bytes = build(elements.count, payload, elementOID, hasNulls: hasNulls) { target in
      var offset = 0
      for element in elements {
        guard let element else {
          put(Int32(-1), in: target, at: &offset)
          continue
        }
        let count = size(element)
        put(Int32(count), in: target, at: &offset)
        write(element, UnsafeMutableRawBufferPointer(rebasing: target[offset..<offset + count]))
        offset += count
      }
    }
    return Parameter(oid: oid, bytes: bytes)
  }

  static func copy(_ source: some Collection<UInt8>, to target: UnsafeMutableRawBufferPointer) {
    let copied: Void? = source.withContiguousStorageIfAvailable { bytes in
      target.copyMemory(from: UnsafeRawBufferPointer(bytes))
    }
    if copied == nil { target.copyBytes(from: source) }
  }

  private static func build(
    _ count: Int, _ payload: Int, _ elementOID: UInt32, hasNulls: Bool,
    _ fill: (UnsafeMutableRawBufferPointer) -> Void
  ) -> [UInt8] {
    let start = headerBytes + (count == 0 ? 0 : dimensionBytes)
    let total = start + count * lengthBytes + payload
    return [UInt8](unsafeUninitializedCapacity: total) { buffer, initialized in
      let target = UnsafeMutableRawBufferPointer(buffer)
      var offset = 0
      put(Int32(count == 0 ? 0 : 1), in: target, at: &offset)
      put(Int32(hasNulls ? 1 : 0), in: target, at: &offset)
      put(elementOID, in: target, at: &offset)
      if count > 0 {
        put(Int32(count), in: target, at: &offset)
        put(Int32(1), in: target, at: &offset)
        fill(UnsafeMutableRawBufferPointer(rebasing: target[offset..<total]))
      }
      initialized = total
    }
  }

  private static func put(
    _ value: some FixedWidthInteger, in target: UnsafeMutableRawBufferPointer,
    at offset: inout Int
  ) {
    target.storeBytes(of: value.bigEndian, toByteOffset: offset, as: type(of: value))
    offset += value.bitWidth / 8
  }
}
