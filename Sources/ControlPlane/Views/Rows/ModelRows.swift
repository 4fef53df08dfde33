// views.engines, views.models and views.model_versions

import Hosting

enum EngineRows {
  /// Without the environment, which may hold secrets.
  static let engines = RowMaker<Engine>(
    "engines",
    [
      .text("id") { $0.id.description },
      .text("name") { $0.name.text },
      .texts("tasks") { $0.tasks.map(\.rawValue) },
      .texts("command") { $0.launch.command },
      .text("readiness_path") { $0.launch.readiness.path },
      .count("deadline_seconds") { $0.launch.readiness.deadlineSeconds },
    ])

  static func add(_ id: ID<Engine>, of state: HostingState, to rows: inout RowSet) {
    if let engine = state.engines[id] { rows.add(engines, engine) }
  }
}

enum ModelRows {
  static let models = RowMaker<Seen<Model>>(
    "models",
    [
      .text("id") { $0.it.id.description },
      .text("name") { $0.it.label },
      .text("provider_id") { $0.it.provider.description },
      .text("provider") { $0.state.called($0.it.provider) },
      .text("task") { $0.it.task.rawValue },
      .count("context_length") { $0.it.contextLength },
      .text("status") { $0.it.status },
      .text("internal_stage") { $0.it.published[.internal]?.rawValue },
      .text("external_stage") { $0.it.published[.external]?.rawValue },
      .time("onboarded_at") { $0.it.onboardedAt },
      .time("deprecated_at") { $0.it.deprecatedAt },
      .time("retired_at") { $0.it.retiredAt },
    ])

  struct Version {
    let model: Model
    let it: ModelVersion
  }

  static let versions = RowMaker<Version>(
    "model_versions", keyCount: 2,
    [
      .text("model_id") { $0.model.id.description },
      .text("version") { $0.it.label.text },
      .text("model") { $0.model.label },
      .texts("aliases") { aliases($0) },
      .text("engine") { $0.it.launch.engine.text },
      .texts("command") { $0.it.launch.command },
      .count("devices") { $0.it.needs.devices },
      .integer("device_memory_bytes") { $0.it.needs.deviceMemory.count },
      .count("cpu_millis") { $0.it.needs.cpuMillis },
      .integer("memory_bytes") { $0.it.needs.memory.count },
      .text("model_path") { $0.it.modelPath },
      .text("weights_sha256") { $0.it.weights?.description },
      .time("added_at") { $0.it.addedAt },
    ])

  private static func aliases(_ version: Version) -> [String] {
    version.model.aliases.filter { $0.value == version.it.label }.map(\.key).sorted()
  }

  static func add(_ id: ID<Model>, of state: HostingState, to rows: inout RowSet) {
    guard let model = state.models[id] else { return }
    rows.add(models, Seen(it: model, state: state))
    for version in model.versions { rows.add(versions, Version(model: model, it: version)) }
  }
}
