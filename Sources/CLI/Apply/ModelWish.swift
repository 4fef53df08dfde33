// A model with its versions, aliases and audiences, as it is wanted. What the document does not
// mention stays.

import Hosting
import Wire

struct ModelWish: JSONRecord {
  struct Version: Codable {
    let version: Name
    let engine: Name
    let devices: Int?
    let deviceMemory: Bytes?
    let cpuMillis: Int?
    let memory: Bytes?
    let arguments: [String]?
    let modelPath: String?
    let weights: Digest?

    var needs: Needs {
      Needs(
        devices: devices ?? 0, deviceMemory: deviceMemory ?? .zero,
        cpuMillis: cpuMillis ?? ModelAddVersion.standardCPUMillis,
        memory: memory ?? ModelAddVersion.standardMemory)
    }

    /// A version copies its engine when it is added, so the engine's own command may differ by now.
    func isAs(_ item: ModelItem.Version) -> Bool {
      item.label == version && item.engine == engine && item.devices == needs.devices
        && item.deviceMemory == needs.deviceMemory && item.cpuMillis == needs.cpuMillis
        && item.memory == needs.memory && item.modelPath == modelPath && item.weights == weights
        && item.command.suffix(arguments?.count ?? 0) == (arguments ?? [])[...]
    }
  }

  struct Publication: Codable {
    let audience: Audience
    let stage: Stage
  }

  struct Alias: Codable {
    let alias: Name
    let version: Name
  }

  let kind: String
  let name: ModelReference
  let task: ModelTask
  let contextLength: Int?
  let versions: [Version]?
  let aliases: [Alias]?
  let published: [Publication]?

  func commands(_ current: ModelItem?) throws(Fixed) -> [any Command] {
    var commands: [any Command] = []
    if let current {
      try Fixed.check("task", of: "model \(name)", is: current.task, wanted: task)
      if let contextLength {
        try Fixed.check(
          "context length", of: "model \(name)", is: current.contextLength, wanted: contextLength)
      }
    } else {
      commands.append(OnboardModel(model: name, task: task, contextLength: contextLength))
    }
    for version in versions ?? [] {
      let known = current?.versions.contains { version.isAs($0) } ?? false
      if !known {
        commands.append(
          AddModelVersion(
            model: try reference(version.version), engine: version.engine, needs: version.needs,
            arguments: version.arguments, modelPath: version.modelPath, weights: version.weights))
      }
    }
    for wanted in aliases ?? [] {
      let known = current?.aliases.contains {
        $0.alias == wanted.alias.key && $0.version == wanted.version
      }
      if known != true {
        commands.append(AliasModel(model: try reference(wanted.version), alias: wanted.alias))
      }
    }
    for wanted in published ?? [] {
      let known = current?.published.contains {
        $0.audience == wanted.audience && $0.stage == wanted.stage
      }
      if known != true {
        commands.append(PublishModel(model: name, audience: wanted.audience, stage: wanted.stage))
      }
    }
    return commands
  }

  private func reference(_ version: Name) throws(Fixed) -> ModelReference {
    do { return try ModelReference(jsonText: "\(name.modelText):\(version)") } catch {
      throw Fixed(reason: error.description)
    }
  }
}
