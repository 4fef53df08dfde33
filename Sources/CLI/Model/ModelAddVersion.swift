// `wharf model add-version`

import ArgumentParser
import Hosting

struct ModelAddVersion: CommandVerb {
  static let standardCPUMillis = 1_000
  static let standardMemory = Bytes(count: 1 << 30)

  static let configuration = CommandConfiguration.verb(
    "add-version", "Add a version: what is loaded, and what it needs. It never changes.",
    example: "wharf model add-version xai/grok-3:1 --engine sim --devices 2 --device-memory 70GiB")

  @Argument(help: "PROVIDER/MODEL:VERSION", transform: Parse.version) var model: ModelReference
  @Option(help: "The engine that runs it.", transform: Parse.name) var engine: Name
  @Option(help: "Devices of one replica.") var devices = 0
  @Option(help: "Memory on each device, as 70GiB.", transform: Parse.bytes) var deviceMemory: Bytes?
  @Option(help: "Processors, as 500m or 1.5; 1 when absent.", transform: Parse.cpu) var cpu: CPU?
  @Option(help: "The same in thousandths.") var cpuMillis: Int?
  @Option(help: "Main memory, as 16GiB; 1GiB when absent.", transform: Parse.bytes)
  var memory: Bytes?
  @Option(
    name: .customLong("argument"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Added to the engine's command; may be repeated.", valueName: "text"))
  var arguments: [String] = []
  @Option(help: "Where the weights are, on the node.") var path: String?
  @Option(help: "SHA-256 of the weights: no others are loaded.", transform: Parse.digest)
  var weights: Digest?
  @OptionGroup var sending: SendOptions

  func validate() throws {
    try Parse.check(devices, in: 0...Int.max, "--devices")
    try Parse.check(cpuMillis, in: 0...Int.max, "--cpu-millis")
    if cpu != nil, cpuMillis != nil {
      throw ValidationError("--cpu and --cpu-millis say the same: choose one")
    }
    if devices > 0, deviceMemory == nil {
      throw ValidationError("--devices needs --device-memory: how much it takes on each")
    }
  }

  func command() -> any Command {
    AddModelVersion(
      model: model, engine: engine,
      needs: Needs(
        devices: devices, deviceMemory: deviceMemory ?? .zero,
        cpuMillis: cpu?.millis ?? cpuMillis ?? Self.standardCPUMillis,
        memory: memory ?? Self.standardMemory),
      arguments: arguments.isEmpty ? nil : arguments, modelPath: path, weights: weights)
  }

  var done: String { "added \(model)" }
}
