// Devices that are only counted, as people describe them: `4xH100-80G`.

package struct SimulatedDevices: Equatable, Sendable {
  package static let most = 64

  package let count: Int
  package let model: Name
  /// Of each.
  package let memory: Bytes

  /// `COUNTxMODEL-MEMORY`. GPU makers' `80G` is 80 GiB.
  package init(_ text: String) throws(Malformed) {
    let parts = text.split(separator: "x", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let dash = parts[1].lastIndex(of: "-") else {
      throw Self.malformed(text, "")
    }
    guard parts[0].utf8.allSatisfy({ (48...57).contains($0) }), let count = Int(parts[0]),
      (1...Self.most).contains(count)
    else { throw Self.malformed(text, ": there may be 1 to \(Self.most)") }
    self.count = count
    do {
      model = try Name(String(parts[1][..<dash]))
      let size = String(parts[1][parts[1].index(after: dash)...])
      memory = try Bytes(size.last == "G" ? size + "iB" : size)
    } catch { throw Self.malformed(text, ": \(error)") }
    guard memory > .zero, memory < Bytes(count: 1 << 50) else {
      throw Self.malformed(text, ": a device has some memory")
    }
  }

  private static func malformed(_ text: String, _ reason: String) -> Malformed {
    Malformed(
      "'\(text.shortened(to: 40))' names no devices: write auto, none, or COUNTxMODEL-MEMORY such "
        + "as 4xH100-80G\(reason)")
  }
}
