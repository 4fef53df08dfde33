// Numbers that depend on nothing but what they are made from: the same prompt and seed give the same
// reply on every machine, which Swift's own hashing does not promise.

/// FNV-1a, 64 bits.
func stableHash(_ text: some StringProtocol, seed: UInt64 = 0) -> UInt64 {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ seed
  for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
  return hash
}

/// SplitMix64.
struct StableGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// From -1 up to 1.
  mutating func nextSigned() -> Double {
    Double(Int64(bitPattern: next()) >> 11) / Double(1 << 52)
  }
}
