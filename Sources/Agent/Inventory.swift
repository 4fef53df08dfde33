// Which devices the machine has, as far as is known for certain. A tool that is missing, hangs, fails or
// prints what nobody can read has not said that a device is gone; nor has one that lists none at all,
// as while its driver is replaced. Only a reading that lists the others and lacks one counts, and twice.

import Hosting

package struct Inventory: Equatable, Sendable {
  package private(set) var devices: [DeviceFacts]
  /// The last reading said nothing that counts.
  package private(set) var isFailing = false
  /// Lacking in the last reading that counted.
  private var lacking: Set<String> = []

  /// - Parameter known: what an earlier agent of this machine knew.
  package init(known: [DeviceFacts] = []) { devices = known }

  /// One lack is to be looked at again soon.
  package var isUnsettled: Bool { isFailing || !lacking.isEmpty }

  package mutating func failed() {
    isFailing = true
    lacking = []
  }

  package mutating func read(_ listed: [DeviceFacts]) {
    guard !listed.isEmpty || devices.isEmpty else { return failed() }
    isFailing = false
    let byID = Dictionary(listed.map { ($0.id, $0) }) { first, _ in first }
    let missing = Set(devices.map(\.id)).subtracting(byID.keys)
    let gone = missing.intersection(lacking)
    let known = Set(devices.map(\.id))
    devices = devices.filter { !gone.contains($0.id) }.map { byID[$0.id] ?? $0 }
    devices += listed.filter { !known.contains($0.id) }
    lacking = missing.subtracting(gone)
  }
}
