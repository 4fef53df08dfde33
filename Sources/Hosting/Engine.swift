// An engine template: how an inference server program is started, made ready and stopped. Kept in
// the log, so that what a model version runs is known for every moment; a version copies it.

package struct Engine: PlainlyNamed, SnapshotValue {
  package static let kind = Kind.engine

  package let id: ID<Engine>
  package let name: Name
  package var launch: Launch
  /// What its models can be asked for.
  package var tasks: [ModelTask]
}

// MARK: Events

package enum EngineEvents {
  static let types: [any Event.Type] = [EngineDefined.self]
}

package struct EngineDefined: Event {
  package static let type = "engineDefined"
  package let name: Name
  package let launch: Launch
  package let tasks: [ModelTask]

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    let id: ID<Engine> = try fact.subject()
    if state.engines[id] == nil {
      try state.engines.insert(Engine(id: id, name: name, launch: launch, tasks: tasks))
    } else {
      try state.engines.update(id) { engine in
        engine.launch = launch
        engine.tasks = tasks
      }
    }
  }
}

// MARK: Commands

package enum EngineCommands {
  static let types: [any Command.Type] = [DefineEngine.self]
}

/// Defines an engine, or anew; versions added before keep what they copied.
package struct DefineEngine: Command, Equatable {
  package static let type = "engine.define"
  package static let allowed: Set<Role> = [.admin, .operator, .system]
  package let launch: Launch
  package let tasks: [ModelTask]

  package init(launch: Launch, tasks: [ModelTask]) {
    self.launch = launch
    self.tasks = tasks
  }

  package func decide(_ state: HostingState, _ decision: inout Decision) throws(Refusal) {
    guard !launch.command.isEmpty else {
      throw Refusal(
        "emptyCommand", "engine \(launch.engine) has no command to start",
        help: "write it as a list: command: [vllm, serve, …]")
    }
    guard !tasks.isEmpty, Set(tasks).count == tasks.count else {
      throw Refusal(
        "tasksMissing", "engine \(launch.engine) does nothing, or one thing twice",
        help: "its tasks are some of: \(ModelTask.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    try launch.checkWaits()
    try launch.checkSecrets()
    let launch = launch.readable(at: state.log.formatLevel)
    let event = EngineDefined(name: launch.engine, launch: launch, tasks: tasks)
    if let known = state.engines.named(launch.engine) {
      if known.launch != launch || known.tasks != tasks {
        decision.record(event, on: known.id.stream)
      }
    } else {
      decision.create(Engine.self, event)
    }
  }
}
