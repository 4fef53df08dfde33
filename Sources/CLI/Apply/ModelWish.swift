// A model with its versions, aliases and audiences, as it is wanted. What the document does not
// mention stays. A version says all of itself, since it never changes.

import Hosting
import Wire

struct ModelWish: Decodable {
  struct Version: Decodable, Equatable {
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

    /// What of a known version is otherwise. It copied its engine when it was added, so the engine's own
    /// command may differ by now.
    ///
    /// - Parameter template: the engine's command now, for versions that do not know their own arguments.
    func differences(from item: ModelItem.Version, _ template: [String]?) -> [String] {
      let own = arguments ?? []
      let hasSameArguments =
        if let known = item.arguments {
          known == own
        } else if let template, item.command.starts(with: template) {
          Array(item.command.dropFirst(template.count)) == own
        } else {
          item.command.suffix(own.count) == own[...]
        }
      return [
        ("engine", item.engine == engine), ("devices", item.devices == needs.devices),
        ("deviceMemory", item.deviceMemory == needs.deviceMemory),
        ("cpu", item.cpuMillis == needs.cpuMillis), ("memory", item.memory == needs.memory),
        ("arguments", hasSameArguments), ("modelPath", item.modelPath == modelPath),
        ("weights", item.weights == weights),
      ].filter { !$0.1 }.map(\.0)
    }
  }

  struct Publication: Decodable, Equatable {
    let audience: Audience
    let stage: Stage
  }

  struct Alias: Decodable, Equatable {
    let alias: Name
    /// null: it stands for nothing any more.
    let version: Wanted<Name>
  }

  let kind: String
  let name: ModelReference
  let task: Kept<ModelTask>
  let contextLength: Kept<Int>
  let versions: Kept<[Version]>
  let aliases: Kept<[Alias]>
  let published: Kept<[Publication]>

  /// What may stand once in it.
  var once: [(path: String, key: String)] {
    (versions.value ?? []).enumerated().map {
      ("versions[\($0.offset)].version", $0.element.version.key)
    }
      + (aliases.value ?? []).enumerated().map {
        ("aliases[\($0.offset)].alias", $0.element.alias.key)
      }
      + (published.value ?? []).enumerated()
      .map { ("published[\($0.offset)].audience", $0.element.audience.rawValue) }
  }

  func steps(_ current: ModelItem?, _ engines: [String: EngineItem]) throws -> [WishStep] {
    var steps: [WishStep] = []
    if let current {
      if let task = task.value {
        try Fixed.check("task", of: "model \(name)", is: current.task, wanted: task, at: "task")
      }
      if let contextLength = contextLength.value {
        try Fixed.check(
          "context length", of: "model \(name)", is: current.contextLength, wanted: contextLength,
          at: "contextLength")
      }
    } else {
      steps.append(
        WishStep(
          OnboardModel(
            model: name, task: try task.required("task", of: "model \(name)", such: "chat"),
            contextLength: contextLength.value)))
    }
    for (index, version) in (versions.value ?? []).enumerated() {
      let path = "versions[\(index)]"
      if let known = current?.versions.first(where: { $0.label == version.version }) {
        let differences = version.differences(
          from: known, engines[version.engine.key]?.launch.command)
        guard differences.isEmpty else {
          throw Fixed(
            reason:
              "version \(version.version) of \(name) has other \(differences.joined(separator: ", ")) "
              + "than this, and a version never changes",
            help: "add another version, serve that, and delete the deployments of this one",
            path: path)
        }
      } else {
        steps.append(
          WishStep(
            AddModelVersion(
              model: try reference(version.version), engine: version.engine, needs: version.needs,
              arguments: version.arguments, modelPath: version.modelPath, weights: version.weights),
            at: path))
      }
    }
    for (index, wanted) in (aliases.value ?? []).enumerated() {
      let path = "aliases[\(index)]"
      let known = current?.aliases.first { $0.alias == wanted.alias.key }
      switch wanted.version {
      case .unsaid:
        throw Fixed(
          reason: "the alias '\(wanted.alias)' says no version", help: "version: null removes it",
          path: path)
      case .removed:
        if known != nil {
          steps.append(WishStep(UnaliasModel(model: try reference(wanted.alias)), at: path))
        }
      case .value(let version) where known?.version != version:
        steps.append(
          WishStep(AliasModel(model: try reference(version), alias: wanted.alias), at: path))
      case .value: break
      }
    }
    for (index, wanted) in (published.value ?? []).enumerated() {
      let known = current?.published.contains {
        $0.audience == wanted.audience && $0.stage == wanted.stage
      }
      if known != true {
        steps.append(
          WishStep(
            PublishModel(model: name, audience: wanted.audience, stage: wanted.stage),
            at: "published[\(index)]"))
      }
    }
    return steps
  }

  private func reference(_ version: Name) throws -> ModelReference {
    try ModelReference(jsonText: "\(name.modelText):\(version)")
  }
}
