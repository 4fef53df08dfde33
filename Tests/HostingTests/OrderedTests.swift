// Names in their order, whatever came and went, and from any of them on.

import TestKit
import Testing

@testable import Hosting

@Suite struct OrderedTests {
  @Test(arguments: [(1, 40), (2, 3_000), (3, 3_000)]) func `names stand as if sorted anew`(
    seed: UInt64, most: Int
  ) {
    var random = SplitMix64(seed: seed)
    var order = Ordered<String>()
    var names: Set<String> = []
    // Those that come in their order fill the end.
    for number in 0..<most / 2 {
      let name = "m" + String(100_000 + number)
      order.insert(name)
      names.insert(name)
    }
    for _ in 0..<2 * most {
      let name = random.pick(["a", "m", "m1", "z"]) + String(random.next() % UInt64(most))
      if names.contains(name) {
        order.remove(name)
        names.remove(name)
      } else {
        order.insert(name)
        names.insert(name)
      }
    }
    let sorted = names.sorted()
    #expect(Array(order.elements()) == sorted)
    for first in ["", "a", "m", "m100007", "m100007x", "z", "zz"] + sorted.suffix(1) {
      #expect(Array(order.elements(from: first)) == sorted.filter { $0 >= first }, "from \(first)")
    }
    for name in sorted.shuffled(using: &random) {
      order.remove(name)
      order.remove(name)
    }
    #expect(Array(order.elements()).isEmpty)
  }
}
