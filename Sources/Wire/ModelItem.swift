// A model with its versions, aliases and audiences, as lists and shows give it.

import HashTreeCollections
import Hosting

package struct ModelItem: NounItem {
  package static let kind = "model"
  package var id: String
  /// `xai/grok-3`
  package var name: String
  package var provider: String
  package var task: ModelTask
  package var contextLength: Int?
  /// `embargoed`, `published`, `deprecated`, `retired`.
  package var status: String
  package var published: [Publication]
  package var versions: [Version]
  package var aliases: [Alias]
  package var onboardedAt: Timestamp
  package var deprecatedAt: Timestamp?
  package var retiredAt: Timestamp?

  package var label: String { name }

  package struct Publication: Codable, Equatable, Sendable, JSONWritable {
    package var audience: Audience
    package var stage: Stage
  }

  package struct Alias: Codable, Equatable, Sendable, JSONWritable {
    package var alias: String
    package var version: Name
  }

  package struct Version: Codable, Equatable, Sendable, JSONWritable {
    package var label: Name
    package var engine: Name
    package var command: [String]
    package var devices: Int
    /// Bytes, on each device.
    package var deviceMemory: Bytes
    package var cpuMillis: Int
    package var memory: Bytes
    package var modelPath: String?
    package var weights: Digest?
    /// The end of the command that is the version's own; absent where that was not kept.
    package var arguments: [String]?
    package var addedAt: Timestamp
    /// The deployments that serve it; absent from a wharfd of before.
    package var deployments: [Name]?
  }

  package init(_ model: Model, _ view: Viewpoint) {
    id = model.id.description
    name = model.label
    provider = view.providerName(model.provider)
    task = model.task
    contextLength = model.contextLength
    status = model.status
    published = model.published.sorted { $0.key < $1.key }
      .map { Publication(audience: $0.key, stage: $0.value) }
    let serving = Dictionary(grouping: view.state.deployments(of: model)) { $0.version.key }
    versions = model.versions.map { version in
      Version(version, serving[version.label.key]?.map(\.name).sorted() ?? [])
    }
    aliases = model.aliases.sorted { $0.key < $1.key }
      .map { Alias(alias: $0.key, version: $0.value) }
    onboardedAt = model.onboardedAt
    deprecatedAt = model.deprecatedAt
    retiredAt = model.retiredAt
  }
}

extension ModelItem.Version {
  fileprivate init(_ version: ModelVersion, _ deployments: [Name]) {
    self.deployments = deployments
    label = version.label
    engine = version.launch.engine
    command = version.launch.command
    devices = version.needs.devices
    deviceMemory = version.needs.deviceMemory
    cpuMillis = version.needs.cpuMillis
    memory = version.needs.memory
    modelPath = version.modelPath
    weights = version.weights
    arguments = version.arguments
    addedAt = version.addedAt
  }
}
