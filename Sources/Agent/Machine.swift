// What this machine has: cores, memory, and devices as asked for or as nvidia-smi lists them.

import Glibc
import Hosting
import Wire

package enum Machine {
  package static var cpuMillis: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) * 1000 }

  package static var memoryBytes: Int64 {
    Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// The folder of the running program: the holder and the simulated engine lie beside it.
  package static var programFolder: String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes {
      readlink("/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    let path = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
    return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  /// What engines get of this process's environment; programs beside this one are found too.
  package static var base: EngineCommand.Base {
    func variable(_ name: String, else other: String) -> String {
      getenv(name).map { String(cString: $0) } ?? other
    }
    let path = variable("PATH", else: "/usr/local/bin:/usr/bin:/bin")
    return EngineCommand.Base(
      path: programFolder + ":" + path, home: variable("HOME", else: "/"),
      language: variable("LANG", else: "C.UTF-8"))
  }
}

/// Which devices a node offers, as `--devices` says it.
package enum DeviceChoice: Equatable, Sendable {
  /// What nvidia-smi lists; none where there is no such program.
  case automatic
  /// Only counted: `4xH100-80G`.
  case simulated([DeviceFacts])

  package static let mostDevices = 64

  /// - Throws: when the text is neither `auto`, `none` nor like `4xH100-80G`.
  package init(_ text: String) throws(Malformed) {
    switch text {
    case "auto": self = .automatic
    case "none": self = .simulated([])
    default: self = .simulated(try Self.simulated(text))
    }
  }

  private static func simulated(_ text: String) throws(Malformed) -> [DeviceFacts] {
    let described = try SimulatedDevices(text)
    return (0..<described.count).map {
      DeviceFacts(
        id: "\(DeviceFacts.simulatedPrefix)\($0)", model: described.model.text,
        memory: described.memory)
    }
  }

  /// The devices there are now. Blocks for as long as nvidia-smi takes.
  ///
  /// - Throws: when nvidia-smi is there and fails, so that none are taken to be gone by mistake.
  package func devices() throws -> [DeviceFacts] {
    switch self {
    case .simulated(let devices): return devices
    case .automatic:
      let programs = [
        "/usr/bin/nvidia-smi", "/usr/local/bin/nvidia-smi", "/opt/nvidia/bin/nvidia-smi",
      ]
      guard let program = programs.first(where: { access($0, X_OK) == 0 }) else { return [] }
      let listing = try Spawn.output(
        of: program,
        ["--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits"],
        environment: ["PATH": "/usr/bin:/bin", "LANG": "C"], longestBytes: 64 << 10,
        timeoutSeconds: 20)
      return try Self.parse(listing: String(decoding: listing, as: UTF8.self))
    }
  }

  /// Reads lines like `GPU-5f3c…, NVIDIA H100 80GB HBM3, 81559`; memory in MiB.
  static func parse(listing: String) throws(Malformed) -> [DeviceFacts] {
    var devices: [DeviceFacts] = []
    for line in listing.split(whereSeparator: \.isNewline) where !line.allSatisfy(\.isWhitespace) {
      let fields = line.split(separator: ",").map { $0.drop(while: \.isWhitespace) }
      guard fields.count == 3, let mebibytes = Int64(fields[2].prefix(while: \.isNumber)) else {
        throw Malformed("nvidia-smi wrote '\(line.prefix(120))', which names no device")
      }
      devices.append(
        DeviceFacts(
          id: String(fields[0]), model: model(String(fields[1])),
          memory: Bytes(count: mebibytes << 20)))
    }
    return devices
  }

  /// `NVIDIA H100 80GB HBM3` is an `H100`, `NVIDIA A100-SXM4-80GB` an `A100`, `NVIDIA RTX A6000` an
  /// `RTX-A6000`.
  static func model(_ name: String) -> String {
    var words = name.split(separator: " ").map(String.init)
    words.removeAll { ["NVIDIA", "Tesla", "GeForce", "Quadro"].contains($0) }
    guard let first = words.first else { return name }
    if first == "RTX", words.count > 1 { return "RTX-" + words[1] }
    return String(first.prefix { $0 != "-" })
  }
}
