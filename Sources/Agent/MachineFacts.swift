// What this machine has: cores, memory, and devices as asked for or as nvidia-smi lists them.

import Glibc
import Hosting
import Machine
import Time
import Wire

package enum MachineFacts {
  package static var cpuMillis: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) * 1000 }

  package static var memoryBytes: Int64 {
    Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
  }

  /// What engines get of this process's environment; programs beside this one are found too.
  package static var base: EngineCommand.Base {
    func variable(_ name: String, else other: String) -> String {
      getenv(name).map { String(cString: $0) } ?? other
    }
    let path = variable("PATH", else: "/usr/local/bin:/usr/bin:/bin")
    return EngineCommand.Base(
      path: (OwnProgram.folder ?? ".") + ":" + path, home: variable("HOME", else: "/"),
      language: variable("LANG", else: "C.UTF-8"))
  }
}

/// Which devices a node offers, as `--devices` says it.
package enum DeviceChoice: Equatable, Sendable {
  /// What nvidia-smi lists, or the tool that is named in its place.
  case automatic(tool: String?)
  /// Only counted: `4xH100-80G`.
  case simulated([DeviceFacts])

  package static let mostDevices = 64

  /// - Throws: when the text is neither `auto`, `none` nor like `4xH100-80G`.
  package init(_ text: String) throws(Malformed) {
    switch text {
    case "auto": self = .automatic(tool: nil)
    case "none": self = .simulated([])
    default: self = .simulated(try Self.simulated(text))
    }
  }

  /// Simulated ones are as they were asked for.
  package var isLookedAt: Bool {
    if case .automatic = self { return true }
    return false
  }

  private static func simulated(_ text: String) throws(Malformed) -> [DeviceFacts] {
    let described = try SimulatedDevices(text)
    return (0..<described.count).map {
      DeviceFacts(
        id: "\(DeviceFacts.simulatedPrefix)\($0)", model: described.model.text,
        memory: described.memory)
    }
  }

  /// What a look at the devices said.
  package enum Reading: Equatable, Sendable {
    case devices([DeviceFacts])
    /// Nothing that counts: the tool is missing, hangs, fails, or says what cannot be read.
    case failed(String)
    /// There is no such tool in any of its usual places, as on a machine without such devices.
    case noTool
  }

  private static let usualTools = [
    "/usr/bin/nvidia-smi", "/usr/local/bin/nvidia-smi", "/opt/nvidia/bin/nvidia-smi",
  ]
  private static let toolTimeoutSeconds = 20
  private static let longestListingBytes = 64 << 10

  /// Looks at the devices there are now. Blocks for as long as the tool takes.
  package func look(by clocks: Clocks) -> Reading {
    switch self {
    case .simulated(let devices): return .devices(devices)
    case .automatic(let named):
      let found = Self.usualTools.first { access($0, X_OK) == 0 }
      guard let program = named ?? found else { return .noTool }
      do {
        let listing = try Spawn.output(
          of: program, ["--query-gpu=uuid,name,memory.total", "--format=csv,noheader,nounits"],
          environment: ["PATH": "/usr/bin:/bin", "LANG": "C"],
          longestBytes: Self.longestListingBytes, timeoutSeconds: Self.toolTimeoutSeconds,
          by: clocks)
        return .devices(try Self.parse(listing: String(decoding: listing, as: UTF8.self)))
      } catch {
        return .failed("\(error)")
      }
    }
  }

  /// Reads lines like `GPU-5f3c…, NVIDIA H100 80GB HBM3, 81559`; memory in MiB.
  static func parse(listing: String) throws(Malformed) -> [DeviceFacts] {
    var devices: [DeviceFacts] = []
    for line in listing.split(whereSeparator: \.isNewline) where !line.allSatisfy(\.isWhitespace) {
      let fields = line.split(separator: ",").map { $0.drop(while: \.isWhitespace) }
      guard fields.count == 3, let mebibytes = Int64(fields[2].prefix(while: \.isNumber)) else {
        throw Malformed("a line of what it wrote names no device")
      }
      devices.append(
        DeviceFacts(
          id: plain(fields[0]), model: plain(model(String(fields[1]))),
          memory: Bytes(count: mebibytes << 20)))
    }
    return devices
  }

  /// A word that can stand in the log and in any table.
  private static func plain(_ word: some StringProtocol) -> String {
    String(
      decoding: word.utf8.prefix(NodeFacts.longestWord).map {
        (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?")
      }, as: UTF8.self)
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
