// Which devices a node says it has.

import Hosting
import Testing
import Time
import Wire

@testable import Agent

@Suite struct `Naming devices` {
  private func models(_ text: String) throws -> [String] {
    guard case .devices(let devices) = try DeviceChoice(text).look(by: .system) else { return [] }
    return devices.map(\.model)
  }

  @Test func `simulated ones are counted out`() throws {
    #expect(
      try DeviceChoice("2xH100-80G").look(by: .system)
        == .devices([
          DeviceFacts(id: "sim-0", model: "H100", memory: Bytes(count: 80 << 30)),
          DeviceFacts(id: "sim-1", model: "H100", memory: Bytes(count: 80 << 30)),
        ]))
    #expect(try models("1xRTX-A6000-48GiB") == ["RTX-A6000"])
    #expect(try DeviceChoice("none").look(by: .system) == .devices([]))
  }

  @Test(arguments: [
    "", "4x", "H100-80G", "0xH100-80G", "65xH100-80G", "4xH100", "4xH100-80", "4xH100-0G", "4x-80G",
    "4x H100-80G", " 4xH100-80G", "4xH100-80G ", "4xH100 -80G", "4xH100- 80G",
  ])
  func `other texts are refused`(text: String) {
    #expect(throws: Malformed.self) { try DeviceChoice(text) }
  }

  @Test func `real ones are read as nvidia-smi lists them`() throws {
    let listing = """
      GPU-5f3c1a2b-0000-1111-2222-333344445555, NVIDIA H100 80GB HBM3, 81559
      GPU-6f3c1a2b-0000-1111-2222-333344445555, NVIDIA A100-SXM4-40GB, 40960

      """
    #expect(
      try DeviceChoice.parse(listing: listing) == [
        DeviceFacts(
          id: "GPU-5f3c1a2b-0000-1111-2222-333344445555", model: "H100",
          memory: Bytes(count: 81559 << 20)),
        DeviceFacts(
          id: "GPU-6f3c1a2b-0000-1111-2222-333344445555", model: "A100",
          memory: Bytes(count: 40960 << 20)),
      ])
    #expect(throws: Malformed.self) {
      try DeviceChoice.parse(
        listing: "Failed to initialize NVML: Driver/library version mismatch\n")
    }
  }

  @Test(arguments: [
    ("NVIDIA H200", "H200"), ("Tesla V100-SXM2-16GB", "V100"), ("NVIDIA L40S", "L40S"),
    ("NVIDIA RTX A6000", "RTX-A6000"), ("NVIDIA GeForce RTX 4090", "RTX-4090"),
    ("NVIDIA GH200 480GB", "GH200"),
  ])
  func `go by their short names`(listed: String, model: String) {
    #expect(DeviceChoice.model(listed) == model)
  }
}

@Suite struct `What is known of devices` {
  private let three = simulatedDevices(3)

  @Test func `a reading that counts is taken as it is`() {
    var inventory = Inventory()
    inventory.read(three)
    #expect(inventory.devices == three && !inventory.isUnsettled)
    var larger = three
    larger[1].memory = Bytes(count: 96 << 30)
    inventory.read(larger + simulatedDevices(4).suffix(1))
    #expect(inventory.devices.map(\.id) == ["sim-0", "sim-1", "sim-2", "sim-3"])
    #expect(inventory.devices[1].memory == Bytes(count: 96 << 30))
  }

  @Test func `one that lacks a device counts the second time`() {
    var inventory = Inventory(known: three)
    inventory.read(Array(three.prefix(2)))
    #expect(inventory.devices == three && inventory.isUnsettled && !inventory.isFailing)
    inventory.read(Array(three.prefix(2)))
    #expect(inventory.devices == Array(three.prefix(2)) && !inventory.isUnsettled)
  }

  @Test func `one in between that says nothing, or that has it again, starts the count anew`() {
    var inventory = Inventory(known: three)
    for _ in 0..<4 {
      inventory.read(Array(three.prefix(2)))
      inventory.failed()
      inventory.read(Array(three.prefix(2)))
      inventory.read(three)
    }
    #expect(inventory.devices == three)
  }

  @Test func `one that lists nothing where something was says nothing`() {
    var inventory = Inventory(known: three)
    for _ in 0..<4 { inventory.read([]) }
    #expect(inventory.devices == three && inventory.isFailing)
    inventory.read(three)
    #expect(!inventory.isFailing)
  }
}
