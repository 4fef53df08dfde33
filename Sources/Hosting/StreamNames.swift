// From names to streams and back: how people's words find the history of a thing.

import HashTreeCollections

extension HostingState {
  /// The name of who acted, where it is known.
  package func name(of actor: Actor) -> String? {
    switch actor {
    case .wharfd: "wharfd"
    case .of(let stream): label(of: stream)
    }
  }

  /// What people call the thing that a stream is about, while it is in the state.
  package func label(of stream: Stream) -> String? {
    switch stream.kind {
    case .provider: providers[ID(stream.origin)]?.label
    case .engine: engines[ID(stream.origin)]?.label
    case .model: models[ID(stream.origin)]?.label
    case .team: teams[ID(stream.origin)]?.label
    case .person: persons[ID(stream.origin)]?.label
    case .deployment: deployments[ID(stream.origin)]?.label
    case .node: nodes[ID(stream.origin)]?.label
    case .gateway: gateways[ID(stream.origin)]?.label
    case .key: keys[ID(stream.origin)]?.name.text
    case .agreement:
      agreements[ID(stream.origin)].flatMap { providers[$0.provider]?.label }
    case .log: nil
    }
  }

  /// The stream of a thing, by its kind and its name, id or bare position.
  package func stream(_ kind: Kind, named text: String) -> Stream? {
    if kind == .log { return .log }
    let byID = Stream(text) ?? Position(text: text).map { Stream(kind, $0) }
    if let byID, byID.kind == kind, streamHeads[byID] != nil { return byID }
    if kind == .model {
      return (try? ModelReference(jsonText: text)).flatMap { models.keyed($0.key)?.id.stream }
    }
    guard let name = try? Name(text) else { return nil }
    return switch kind {
    case .provider: providers.named(name)?.id.stream
    case .engine: engines.named(name)?.id.stream
    case .team: teams.named(name)?.id.stream
    case .person: persons.named(name)?.id.stream
    case .deployment: deployments.named(name)?.id.stream
    case .node: nodes.named(name)?.id.stream
    case .gateway: gateways.named(name)?.id.stream
    case .agreement: providers.named(name)?.agreement?.stream
    case .key: keys.values.first { $0.name == name }?.id.stream
    case .log, .model: nil
    }
  }
}
