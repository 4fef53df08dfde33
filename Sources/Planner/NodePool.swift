// The open nodes by what is free on them, so that a place is found without looking at every node.
//
// Invariants:
//  1. A node stands in the bucket of its number of free devices, in the order of its key.
//  2. What a node has here is what it has in the state, less what this pass has placed.
//  3. Within a pass a node only ever gets fuller: its key only falls, and who does not fit now does
//     not fit later.

import HashTreeCollections
import Hosting

struct NodePool {
  /// The order in which nodes are offered: the tightest first. Fewest free devices, then the
  /// smallest largest device, then the least memory, then the smallest name.
  struct Key: Comparable {
    var devices: Int
    var largestDevice: Bytes
    var memory: Bytes
    var rank: Int

    static func < (a: Self, b: Self) -> Bool {
      (a.devices, a.largestDevice, a.memory, a.rank) < (
        b.devices, b.largestDevice, b.memory, b.rank
      )
    }

    /// The smallest key after this one.
    var next: Key {
      Key(devices: devices, largestDevice: largestDevice, memory: memory, rank: rank + 1)
    }
  }

  struct Entry {
    let id: ID<Node>
    var rank: Int
    /// Memory of the free devices, ascending.
    var devices: [Bytes]
    var cpuMillis: Int
    var memory: Bytes

    var key: Key {
      Key(devices: devices.count, largestDevice: devices.last ?? .zero, memory: memory, rank: rank)
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

  /// In the order of their names: an index here is a rank.
  private(set) var entries: [Entry] = []
  private(set) var rank: [ID<Node>: Int] = [:]
  private var buckets: [[Key]] = []
  /// Where nodes went as they were taken from, in order.
  private(set) var moves: [Key] = []

  /// - Parameter afterStops: with what is left once all has ended that is to stop.
  init(_ state: HostingState, now: Timestamp, afterStops: Bool = false) {
    // Nodes are large values: only what is needed of them is sorted.
    var open: [(name: String, entry: Entry)] = []
    open.reserveCapacity(state.nodes.count)
    for node in state.nodes.byID.values where node.isOpen(now: now) {
      let node = afterStops ? state.afterStops(node) ?? node : node
      let free = state.free(of: node)
      let entry = Entry(
        id: node.id, rank: 0, devices: node.freeMemories, cpuMillis: free.cpuMillis,
        memory: free.memory)
      open.append((node.nameKey, entry))
    }
    open.sort { $0.name < $1.name }
    entries = open.map(\.entry)
    rank.reserveCapacity(entries.count)
    for index in entries.indices {
      entries[index].rank = index
      rank[entries[index].id] = index
    }
    buckets = Array(repeating: [], count: (entries.map(\.devices.count).max() ?? 0) + 1)
    for entry in entries { buckets[entry.devices.count].append(entry.key) }
    for index in buckets.indices { buckets[index].sort() }
  }

  /// Offers the nodes that these needs fit on, from a key on and in the order of keys, until one is
  /// taken.
  func walk(for needs: Needs, from start: Key?, _ take: (_ rank: Int, Key) -> Bool) {
    let lowest = Key(
      devices: needs.devices, largestDevice: needs.devices > 0 ? needs.deviceMemory : .zero,
      memory: Bytes(count: .min), rank: 0)
    let start = max(start ?? lowest, lowest)
    guard start.devices < buckets.count else { return }
    for devices in start.devices..<buckets.count {
      let bucket = buckets[devices]
      var from = lowest
      from.devices = devices
      for key in bucket[Self.index(of: max(from, start), in: bucket)...]
      where entries[key.rank].fits(needs) {
        if take(key.rank, key) { return }
      }
    }
  }

  mutating func take(_ needs: Needs, on rank: Int) {
    remove(rank)
    entries[rank].take(needs)
    let key = entries[rank].key
    buckets[key.devices].insert(key, at: Self.index(of: key, in: buckets[key.devices]))
    moves.append(key)
  }

  /// Takes a node out: it turned out not to take what seemed to fit.
  mutating func remove(_ rank: Int) {
    let key = entries[rank].key
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
