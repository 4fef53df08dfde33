// Which devices a node says it has.

import Hosting
import Testing
import Wire

@testable import Agent

@Suite struct `Naming devices` {
  @Test func `simulated ones are counted out`() throws {
    #expect(
      try DeviceChoice("2xH100-80G").devices() == [
        DeviceFacts(id: "sim-0", model: "H100", memory: Bytes(count: 80 << 30)),
        DeviceFacts(id: "sim-1", model: "H100", memory: Bytes(count: 80 << 30)),
      ])
    #expect(try DeviceChoice("1xRTX-A6000-48GiB").devices().first?.model == "RTX-A6000")
    #expect(try DeviceChoice("none").devices() == [])
  }

  @Test(arguments: [
    "", "4x", "H100-80G", "0xH100-80G", "65xH100-80G", "4xH100", "4xH100-80", "4xH100-0G", "4x-80G",
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
