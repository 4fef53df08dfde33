// The open nodes by what is free on them, so that a place is found without looking at every node.
//
// Invariants:
//  1. A node stands in the bucket of its number of free devices, in the order of its key.
//  2. What a node has here is what it has in the state, less what this pass has placed.
//  3. Within a pass a node only ever gets fuller: its key only falls, and who does not fit now does
//     not fit later.
//  4. A node keeps its slot for as long as it is open.

import HashTreeCollections
import Hosting

struct NodePool: Sendable {
  /// The order in which nodes are offered: the tightest first. Fewest free devices, then the
  /// smallest largest device, then the least memory, then the smallest name.
  struct Key: Comparable, Sendable {
    var devices: Int
    var largestDevice: Bytes
    var memory: Bytes
    var name: String
    /// Of the node: of two states, a name may be that of two nodes.
    var slot: Int

    static func < (a: Self, b: Self) -> Bool {
      (a.devices, a.largestDevice, a.memory, a.name, a.slot) < (
        b.devices, b.largestDevice, b.memory, b.name, b.slot
      )
    }
  }

  struct Entry: Sendable {
    let id: ID<Node>
    let name: String
    /// Memory of the free devices, ascending.
    var devices: [Bytes]
    var cpuMillis: Int
    var memory: Bytes

    func key(_ slot: Int) -> Key {
      Key(
        devices: devices.count, largestDevice: devices.last ?? .zero, memory: memory, name: name,
        slot: slot)
    }

    func room(for needs: Needs) -> Room {
      Room(
        devices: devices.count, largeDevices: devices.count - firstLarge(needs),
        largestDevice: devices.last ?? .zero, cpuMillis: cpuMillis, memory: memory)
    }

    func fits(_ needs: Needs) -> Bool {
      devices.count - firstLarge(needs) >= needs.devices && cpuMillis >= needs.cpuMillis
        && memory >= needs.memory
    }

    private func firstLarge(_ needs: Needs) -> Int {
      devices.firstIndex { $0 >= needs.deviceMemory } ?? devices.count
    }

    /// As `fit` does: the smallest devices that are large enough.
    mutating func take(_ needs: Needs) {
      let first = firstLarge(needs)
      devices.removeSubrange(first..<first + needs.devices)
      cpuMillis -= needs.cpuMillis
      memory = memory - needs.memory
    }
  }

  /// By their slots; none where no node is.
  private(set) var entries: [Entry?] = []
  private(set) var slots: [ID<Node>: Int] = [:]
  private var unused: [Int] = []
  private var buckets: [[Key]] = []
  /// Where nodes went as they were taken from, in order.
  private(set) var moves: [Key] = []

  var isEmpty: Bool { slots.isEmpty }

  /// - Parameter afterStops: with what is left once all has ended that is to stop.
  init(_ state: HostingState, now: Timestamp, afterStops: Bool = false) {
    // Nodes are large values: only what is needed of them is sorted.
    entries.reserveCapacity(state.nodes.count)
    slots.reserveCapacity(state.nodes.count)
    for node in state.nodes.byID.values where node.isOpen(now: now) {
      slots[node.id] = entries.count
      entries.append(Self.entry(of: node, state, afterStops))
    }
    let most = entries.lazy.compactMap { $0?.devices.count }.max() ?? 0
    buckets = Array(repeating: [], count: most + 1)
    for (slot, entry) in entries.enumerated() {
      if let entry { buckets[entry.devices.count].append(entry.key(slot)) }
    }
    for index in buckets.indices { buckets[index].sort() }
  }

  private static func entry(
    of node: Node, _ state: HostingState, _ afterStops: Bool = false
  ) -> Entry {
    let node = afterStops ? state.afterStops(node) ?? node : node
    let free = state.free(of: node)
    return Entry(
      id: node.id, name: node.nameKey, devices: node.freeMemories, cpuMillis: free.cpuMillis,
      memory: free.memory)
  }

  /// Looks at nodes anew.
  mutating func update(_ ids: some Sequence<ID<Node>>, in state: HostingState, now: Timestamp) {
    for id in ids {
      let node = state.nodes[id].flatMap { $0.isOpen(now: now) ? $0 : nil }
      if let slot = slots[id] {
        remove(slot)
        guard let node else {
          entries[slot] = nil
          slots[id] = nil
          unused.append(slot)
          continue
        }
        place(Self.entry(of: node, state), in: slot)
      } else if let node {
        if unused.isEmpty {
          unused.append(entries.count)
          entries.append(nil)
        }
        let slot = unused.removeLast()
        slots[id] = slot
        place(Self.entry(of: node, state), in: slot)
      }
    }
  }

  @discardableResult
  private mutating func place(_ entry: Entry, in slot: Int) -> Key {
    entries[slot] = entry
    let key = entry.key(slot)
    while buckets.count <= key.devices { buckets.append([]) }
    buckets[key.devices].insert(key, at: Self.index(of: key, in: buckets[key.devices]))
    return key
  }

  /// The same nodes, of which nothing was taken yet.
  func begun() -> NodePool {
    var pool = self
    pool.moves = []
    return pool
  }

  func fits(_ needs: Needs, on slot: Int) -> Bool { entries[slot]?.fits(needs) ?? false }

  /// Offers the nodes that these needs fit on, from a key on and in the order of keys, until one is
  /// taken.
  func walk(for needs: Needs, from start: Key?, _ take: (_ slot: Int, Key) -> Bool) {
    let lowest = Key(
      devices: needs.devices, largestDevice: needs.devices > 0 ? needs.deviceMemory : .zero,
      memory: Bytes(count: .min), name: "", slot: 0)
    let start = max(start ?? lowest, lowest)
    guard start.devices < buckets.count else { return }
    for devices in start.devices..<buckets.count {
      let bucket = buckets[devices]
      var from = lowest
      from.devices = devices
      for key in bucket[Self.index(of: max(from, start), in: bucket)...]
      where fits(needs, on: key.slot) {
        if take(key.slot, key) { return }
      }
    }
  }

  mutating func take(_ needs: Needs, on slot: Int) {
    remove(slot)
    guard var entry = entries[slot] else { return }
    entry.take(needs)
    moves.append(place(entry, in: slot))
  }

  /// Takes a node out: it turned out not to take what seemed to fit.
  mutating func drop(_ slot: Int) {
    remove(slot)
    entries[slot] = nil
  }

  private mutating func remove(_ slot: Int) {
    guard let key = entries[slot]?.key(slot) else { return }
    let index = Self.index(of: key, in: buckets[key.devices])
    guard index < buckets[key.devices].count, buckets[key.devices][index] == key else { return }
    buckets[key.devices].remove(at: index)
  }

  /// The index of the first key at or after this one.
  private static func index(of key: Key, in bucket: [Key]) -> Int {
    var low = 0
    var high = bucket.count
    while low < high {
      let middle = (low + high) / 2
      if bucket[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
