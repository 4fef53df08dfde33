// A model: onboarded long before anyone may see it, then opened audience by audience. Its versions
// say what is loaded and what it needs.

import HashTreeCollections

package enum ModelTask: String, CaseIterable, Hashable, Sendable, JSONCoded {
  case chat
  case completion
  case embedding
}

/// How far a model is opened to an audience.
package enum Stage: String, CaseIterable, Hashable, Sendable, JSONCoded {
  case preview
  case general
}

/// `xai/grok-3`, `xai/grok-3:1`, `xai/grok-3:stable`.
package struct ModelReference: Hashable, Sendable, CustomStringConvertible, JSONText {
  package let provider: Name
  package let model: Name
  /// A version's label or an alias.
  package let version: Name?

  package init(jsonText: String) throws(Malformed) {
    let parts = jsonText.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      throw Malformed(
        "'\(jsonText.shortened(to: 80))' is no model: write PROVIDER/MODEL or PROVIDER/MODEL:VERSION"
      )
    }
    let rest = parts[1].split(separator: ":", omittingEmptySubsequences: false)
    guard (1...2).contains(rest.count) else {
      throw Malformed("'\(jsonText.shortened(to: 80))' has more than one version")
    }
    provider = try Name(String(parts[0]))
    model = try Name(String(rest[0]))
    if rest.count == 2 { version = try Name(String(rest[1])) } else { version = nil }
  }

  package var key: String { "\(provider.key)/\(model.key)" }
  package var modelText: String { "\(provider)/\(model)" }
  package var jsonText: String { version.map { "\(modelText):\($0)" } ?? modelText }
  package var description: String { jsonText }

  /// What is done to a model is done to all its versions: one that is named would be passed over.
  func requireWhole(to attempt: String) throws(Refusal) {
    guard version != nil else { return }
    throw Refusal(
      "versionNamed",
      "cannot \(attempt) \(self): that is done to a model, not to one version of it",
      help: "write \(modelText)")
  }
}

package struct Model: Named, SnapshotValue {
  package typealias Together = ModelSummary
  package static let kind = Kind.model

  package let id: ID<Model>
  package let provider: ID<Provider>
  /// `xai/grok-3`
  package let label: String
  package let task: ModelTask
  package let contextLength: Int?
  package let onboardedAt: Timestamp
  /// Empty: under embargo.
  package var published: [Audience: Stage] = [:]
  package var versions: [ModelVersion] = []
  package var aliases: [String: Name] = [:]
  /// Deprecated: no new grants, no new deployments → retired: nothing is served.
  package var deprecatedAt: Timestamp?
  package var retiredAt: Timestamp?

  package var nameKey: String { label.lowercased() }

  package var status: String {
    if retiredAt != nil { return "retired" }
    if deprecatedAt != nil { return "deprecated" }
    return published.isEmpty ? "embargoed" : "published"
  }

  /// The version of a label or alias.
  package func version(_ name: Name) -> ModelVersion? {
    let label = aliases[name.key] ?? name
    return versions.first { $0.label == label }
  }
}

package struct ModelVersion: Equatable, Sendable, SnapshotValue {
  package let label: Name
  package let addedAt: Timestamp
  package let launch: Launch
  package let needs: Needs
  package let modelPath: String?
  /// Pinned weights: a file with another digest is never loaded.
  package let weights: Digest?
  /// What was added to the engine's command for this version; unknown of versions from before it was kept.
  package let arguments: [String]?
}

/// What one replica occupies on its node.
package struct Needs: Codable, Hashable, Sendable, JSONWritable, CanonicallyRead, SnapshotValue {
  package var devices: Int
  /// On each device.
  package var deviceMemory: Bytes
  package var cpuMillis: Int
  package var memory: Bytes

  package static let mostDevices = 64

  package init(devices: Int, deviceMemory: Bytes, cpuMillis: Int, memory: Bytes) {
    self.devices = devices
    self.deviceMemory = deviceMemory
    self.cpuMillis = cpuMillis
    self.memory = memory
  }
}

extension Catalog<Model> {
  package func require(_ reference: ModelReference) throws(Refusal) -> Model {
    guard let model = keyed(reference.key) else { throw .unknown(.model, reference.modelText) }
    return model
  }

  /// A model and the version that the reference names.
  package func requireVersion(
    _ reference: ModelReference
  ) throws(Refusal) -> (model: Model, version: ModelVersion) {
    let model = try require(reference)
    guard let name = reference.version else {
      throw Refusal(
        "versionMissing", "'\(reference)' names no version", help: "write \(reference):VERSION")
    }
    guard let version = model.version(name) else {
      throw Refusal(
        "unknownVersion", "there is no version '\(name)' of \(model.label)",
        help: model.versions.isEmpty
          ? "add one: wharf model add-version \(reference.modelText):\(name) --engine …"
          : "it has: \(model.versions.map(\.label.text).joined(separator: ", "))")
    }
    return (model, version)
  }
}

extension HostingState {
  /// The deployments that serve any version of a model.
  package func deployments(of model: Model) -> [Deployment] {
    Workload.allCases.flatMap { workload in
      (deploymentsIn[Line(provider: model.provider, workload: workload)] ?? [])
        .compactMap { deployments[$0] }
    }.filter { $0.model == model.id && $0.deletedAt == nil }
  }
}

// MARK: Events

package enum ModelEvents {
  static let types: [any Event.Type] = [
    ModelOnboarded.self, ModelVersionAdded.self, ModelPublished.self, ModelAliased.self,
    ModelUnaliased.self, ModelDeprecated.self, ModelRetired.self,
  ]
}

package struct ModelOnboarded: Event {
  package static let type = "modelOnboarded"
  package let provider: ID<Provider>
  package let name: Name
  package let task: ModelTask
  package let contextLength: Int?

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    guard let owner = state.providers[provider] else {
      throw Contradiction("there is no \(provider)")
    }
    try state.models.insert(
      Model(
        id: fact.subject(), provider: provider, label: "\(owner.name)/\(name)", task: task,
        contextLength: contextLength, onboardedAt: fact.recordedAt))
  }
}

package struct ModelVersionAdded: Event {
  package static let type = "modelVersionAdded"
  package let version: Name
  package let launch: Launch
  package let needs: Needs
  package let modelPath: String?
  package let weights: Digest?
  /// The end of the launch's command that is this version's own.
  package var arguments: [String]?

  package static let argumentsFormatLevel = FormatLevel.kept

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.models.update(fact.subject()) { model in
      model.versions.append(
        ModelVersion(
          label: version, addedAt: fact.recordedAt, launch: launch, needs: needs,
          modelPath: modelPath, weights: weights, arguments: arguments))
    }
  }
}

package struct ModelPublished: Event {
  package static let type = "modelPublished"
  package let audience: Audience
  package let stage: Stage

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.models.update(fact.subject()) { $0.published[audience] = stage }
  }
}

package struct ModelAliased: Event {
  package static let type = "modelAliased"
  package let alias: Name
  package let version: Name

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.models.update(fact.subject()) { $0.aliases[alias.key] = version }
  }
}

/// An alias stands for nothing any more.
package struct ModelUnaliased: Event {
  package static let type = "modelUnaliased"
  package static let formatLevel = FormatLevel.kept
  package let alias: Name

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.models.update(fact.subject()) { $0.aliases[alias.key] = nil }
  }
}

package struct ModelDeprecated: Event {
  package static let type = "modelDeprecated"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.models.update(fact.subject()) { $0.deprecatedAt = fact.recordedAt }
  }
}

package struct ModelRetired: Event {
  package static let type = "modelRetired"

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.models.update(fact.subject()) { $0.retiredAt = fact.recordedAt }
  }
}
