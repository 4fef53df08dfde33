// A first-in, first-out queue that neither shifts nor, once it has grown, allocates.

struct Ring<Element> {
  /// Its count is a power of two.
  private var storage: [Element?] = Array(repeating: nil, count: 8)
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ element: Element) {
    if count == storage.count { grow() }
    storage[(head + count) & (storage.count - 1)] = element
    count += 1
  }

  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    let element = storage[head].take()
    head = (head + 1) & (storage.count - 1)
    count -= 1
    return element
  }

  private mutating func grow() {
    var larger = [Element?](repeating: nil, count: storage.count * 2)
    for index in 0..<count { larger[index] = storage[(head + index) & (storage.count - 1)] }
    storage = larger
    head = 0
  }
}
