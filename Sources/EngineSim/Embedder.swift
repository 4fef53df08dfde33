// Embeddings: each word has a direction of its own; a text's is the sum of its words', of unit length.
// So texts that share words are near each other, and the same text is always at the same place.

struct Embedder: Sendable {
  let dimensions: Int
  let seed: UInt64

  /// - Parameter count: how many of the numbers are wanted; the rest is cut off before scaling.
  func embed(_ text: String, dimensions count: Int) -> [Double] {
    var sum = [Double](repeating: 0, count: count)
    let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
    for word in words.isEmpty ? [Substring(text)] : words {
      var generator = StableGenerator(seed: stableHash(word, seed: seed))
      for index in sum.indices { sum[index] += generator.nextSigned() }
    }
    let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard length > 0 else {
      // Words that cancel each other out point nowhere: any direction is as good.
      return [1] + [Double](repeating: 0, count: count - 1)
    }
    return sum.map { $0 / length }
  }
}
