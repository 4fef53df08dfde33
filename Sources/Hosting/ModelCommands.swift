// What can be done to a model: the commands of `wharf model`.

package enum ModelCommands {
  static let types: [any Command.Type] = [
    OnboardModel.self, AddModelVersion.self, PublishModel.self, AliasModel.self,
    UnaliasModel.self, DeprecateModel.self, RetireModel.self,
  ]
}

/// Makes a model known to us; nobody else may know of it until it is published.
package struct OnboardModel: Command {
  package static let type = "model.onboard"
  package static let longestContext = 100_000_000
  package let model: ModelReference
  package let task: ModelTask
  package let contextLength: Int?

  package init(model: ModelReference, task: ModelTask, contextLength: Int?) {
    self.model = model
    self.task = task
    self.contextLength = contextLength
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try model.requireWhole(to: "onboard")
    let provider = try state.providers.require(model.provider)
    if let taken = state.models.keyed(model.key) {
      throw .nameTaken(.model, model.modelText, by: taken.id.stream)
    }
    if let contextLength, !(1...Self.longestContext).contains(contextLength) {
      throw Refusal(
        "contextOutOfRange",
        "a context has 1 to \(Self.longestContext) tokens, not \(contextLength)",
        help: "name a number in between, or none")
    }
    _ = try state.agreementAllowing(
      .inference, for: nil, of: provider, to: "onboard \(model.modelText)", now: decision.now)
    decision.create(
      Model.self,
      ModelOnboarded(
        provider: provider.id, name: model.model, task: task, contextLength: contextLength))
  }
}

package struct AddModelVersion: Command {
  package static let type = "model.addVersion"
  /// With the version's label: `xai/grok-3:1`.
  package let model: ModelReference
  package let engine: Name
  package let needs: Needs
  /// Appended to the engine's command.
  package let arguments: [String]?
  package let modelPath: String?
  package let weights: Digest?

  package init(
    model: ModelReference, engine: Name, needs: Needs, arguments: [String]?, modelPath: String?,
    weights: Digest?
  ) {
    self.model = model
    self.engine = engine
    self.needs = needs
    self.arguments = arguments
    self.modelPath = modelPath
    self.weights = weights
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.models.require(model)
    guard let label = model.version else {
      throw Refusal(
        "versionMissing", "'\(model)' names no version to add", help: "write \(model):VERSION")
    }
    guard let template = state.engines.named(engine) else {
      throw .unknown(.engine, engine.text)
    }
    guard template.tasks.contains(found.task) else {
      throw Refusal(
        "engineLacksTask",
        "cannot run \(found.label) on engine \(engine): it does not do \(found.task.rawValue)",
        help: "it does: \(template.tasks.map(\.rawValue).joined(separator: ", "))")
    }
    guard (0...Needs.mostDevices).contains(needs.devices), needs.cpuMillis >= 0 else {
      throw Refusal(
        "needsOutOfRange",
        "a replica takes 0 to \(Needs.mostDevices) devices, and no less than no CPU",
        help: "a replica runs on one node: name what one has")
    }
    if found.retiredAt != nil {
      throw Refusal(
        "modelRetired", "cannot add a version to \(found.label): it is retired",
        help: "onboard it under another name: wharf model onboard PROVIDER/MODEL --task …")
    }
    if let aliased = found.aliases[label.key] {
      throw Refusal(
        "nameTaken",
        "cannot add \(found.label):\(label): '\(label)' is an alias of its version \(aliased)",
        help: "add the version under a label of its own, then move the alias: "
          + "wharf model alias \(found.label):VERSION \(label)")
    }
    var launch = template.launch
    launch.command += arguments ?? []
    if let known = found.versions.first(where: { $0.label == label }) {
      if isAs(known, launch) { return }
      throw Refusal(
        "nameTaken", "\(found.label) already has a version '\(label)', and it differs",
        help: "a version never changes: add another")
    }
    let isKept = state.log.formatLevel >= ModelVersionAdded.argumentsFormatLevel
    decision.record(
      ModelVersionAdded(
        version: label, launch: launch, needs: needs, modelPath: modelPath, weights: weights,
        arguments: isKept ? arguments ?? [] : nil), on: found.id.stream)
  }

  /// A version copied its engine when it was added; the template may have changed since.
  private func isAs(_ known: ModelVersion, _ launch: Launch) -> Bool {
    guard known.needs == needs, known.modelPath == modelPath, known.weights == weights else {
      return false
    }
    guard let own = known.arguments else { return known.launch == launch }
    return known.launch.engine == engine && own == arguments ?? []
  }
}

/// Opens a model to an audience, or moves it to another stage there.
package struct PublishModel: Command {
  package static let type = "model.publish"
  package let model: ModelReference
  package let audience: Audience
  package let stage: Stage

  package init(model: ModelReference, audience: Audience, stage: Stage) {
    self.model = model
    self.audience = audience
    self.stage = stage
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try model.requireWhole(to: "publish")
    let found = try state.models.require(model)
    if found.retiredAt != nil {
      throw Refusal(
        "modelRetired", "cannot publish \(found.label): it is retired",
        help: "onboard it under another name: wharf model onboard PROVIDER/MODEL --task …")
    }
    let provider = try state.owner(of: found)
    _ = try state.agreementAllowing(
      .inference, for: audience, of: provider, to: "publish \(found.label) to \(audience.rawValue)",
      now: decision.now)
    if found.published[audience] != stage {
      decision.record(ModelPublished(audience: audience, stage: stage), on: found.id.stream)
    }
  }
}

/// Gives a version another name; an alias may move from one version to another.
package struct AliasModel: Command {
  package static let type = "model.alias"
  /// With the version: `xai/grok-3:2`.
  package let model: ModelReference
  package let alias: Name

  package init(model: ModelReference, alias: Name) {
    self.model = model
    self.alias = alias
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let (found, version) = try state.models.requireVersion(model)
    if found.versions.contains(where: { $0.label == alias }) {
      throw Refusal(
        "nameTaken", "\(found.label) has a version labelled '\(alias)'",
        help: "give the alias a name that no version has, as stable")
    }
    if found.aliases[alias.key] != version.label {
      decision.record(ModelAliased(alias: alias, version: version.label), on: found.id.stream)
    }
  }
}

/// Takes an alias away.
package struct UnaliasModel: Command {
  package static let type = "model.unalias"
  /// With the alias: `xai/grok-3:stable`.
  package let model: ModelReference

  package init(model: ModelReference) { self.model = model }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    let found = try state.models.require(model)
    guard let alias = model.version else {
      throw Refusal("aliasMissing", "'\(model)' names no alias", help: "write \(model):ALIAS")
    }
    if found.aliases[alias.key] != nil {
      decision.record(ModelUnaliased(alias: alias), on: found.id.stream)
    } else if found.versions.contains(where: { $0.label == alias }) {
      throw Refusal(
        "unknownAlias", "cannot take '\(alias)' away from \(found.label): it is a version of it",
        help: "a version stays; serve it no more: wharf deployment delete …")
    } else {
      throw Refusal(
        "unknownAlias", "there is no alias '\(alias)' of \(found.label)",
        help: found.aliases.isEmpty
          ? "it has none: make one with wharf model alias \(found.label):VERSION \(alias)"
          : "it has: \(found.aliases.keys.sorted().joined(separator: ", "))")
    }
  }
}

package struct DeprecateModel: Command {
  package static let type = "model.deprecate"
  package let model: ModelReference

  package init(model: ModelReference) { self.model = model }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try model.requireWhole(to: "deprecate")
    let found = try state.models.require(model)
    if found.deprecatedAt == nil { decision.record(ModelDeprecated(), on: found.id.stream) }
  }
}

package struct RetireModel: Command {
  package static let type = "model.retire"
  package let model: ModelReference

  package init(model: ModelReference) { self.model = model }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    try model.requireWhole(to: "retire")
    let found = try state.models.require(model)
    if found.retiredAt != nil { return }
    let running = state.deployments.sorted.filter { $0.model == found.id }
    guard running.isEmpty else {
      throw Refusal(
        "modelInUse",
        "cannot retire \(found.label): deployed as \(running.map(\.name.text).joined(separator: ", "))",
        help: "wharf deployment delete \(running[0].name)")
    }
    decision.record(ModelRetired(), on: found.id.stream)
  }
}

extension HostingState {
  /// The provider of a model. It exists: models are onboarded under one, and none ever leaves.
  package func owner(of model: Model) throws(Refusal) -> Provider {
    guard let provider = providers[model.provider] else {
      throw .unknown(.provider, model.provider.description)
    }
    return provider
  }
}
