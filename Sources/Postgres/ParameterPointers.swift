// Parameters as the parallel C arrays that libpq takes.

struct ParameterPointers {
  private let parameters: [Parameter]

  init(_ parameters: [Parameter]) { self.parameters = parameters }

  typealias Values = UnsafePointer<UnsafePointer<CChar>?>
  typealias Numbers = UnsafePointer<Int32>

  /// The pointers are valid in `body` only; libpq copies what it sends.
  func withPointers<Result>(_ body: (Values, Numbers, Numbers) -> Result) -> Result {
    // One buffer for all values: nothing else pins many arrays at once. Its last byte lets an empty
    // value have an address, since a null pointer means NULL.
    let total = parameters.reduce(1) { $0 + ($1.bytes?.count ?? 0) }
    return withUnsafeTemporaryAllocation(byteCount: total, alignment: 1) { buffer in
      var values: [UnsafePointer<CChar>?] = []
      var lengths: [Int32] = []
      values.reserveCapacity(parameters.count)
      lengths.reserveCapacity(parameters.count)
      var offset = 0
      for parameter in parameters {
        guard let bytes = parameter.bytes else {
          values.append(nil)
          lengths.append(0)
          continue
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<offset + bytes.count])
        target.copyBytes(from: bytes)
        values.append(
          UnsafeRawPointer(buffer.baseAddress! + offset).assumingMemoryBound(to: CChar.self))
        lengths.append(Int32(bytes.count))
        offset += bytes.count
      }
      let formats = [Int32](repeating: 1, count: parameters.count)
      return values.withUnsafeBufferPointer { values in
        lengths.withUnsafeBufferPointer { lengths in
          formats.withUnsafeBufferPointer { formats in
            body(pointer(values), pointer(lengths), pointer(formats))
          }
        }
      }
    }
  }

  /// libpq does not look at arrays of no elements, but their address may not be null in Swift.
  private func pointer<Element>(
    _ buffer: UnsafeBufferPointer<Element>
  ) -> UnsafePointer<Element> {
    buffer.baseAddress ?? UnsafePointer(bitPattern: MemoryLayout<Element>.alignment)!
  }
}
