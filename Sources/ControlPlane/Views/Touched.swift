// Which things some events may have changed, found almost without knowing the types of events: what a
// stream is about, every id that an event's text names, the numbers of replicas, and what hangs together
// with those. Too much is harmless, since only rows that differ are written; too little would
// leave a row behind.
//
// Why it is enough: an event changes its subject, what it names, or what is linked to one of those;
// and an event that makes or cuts a link stands on one end and names the other, or the link is in the
// state before or after. Names shown beside ids never change: an event that renamed a thing would
// have to touch all that shows its name. A test holds this against the rows of the whole state.

import EventLog
import HashTreeCollections
import Hosting

package struct Touched: Equatable, Sendable {
  private(set) var streams: Set<Stream> = []
  private(set) var deployments: Set<ID<Deployment>> = []
  private(set) var replicas: Set<ReplicaID> = []
  private(set) var marks: Set<String> = []
  private var attempts: Set<AttemptID> = []

  /// What these events touched on the way from one state to another.
  package init(by events: some Sequence<StoredEvent>, from old: HostingState, to new: HostingState)
  {
    for event in events {
      streams.insert(event.stream)
      noteIDs(in: event.data)
      if event.stream.kind == .deployment { noteReplicas(of: event, old, new) }
      if event.type == MarkPlaced.type, let mark = (try? event.decoded()) as? MarkPlaced {
        marks.insert(mark.name.key)
      }
    }
    for stream in streams where stream.kind == .deployment { deployments.insert(ID(stream.origin)) }
    for replica in replicas {
      for state in [old, new] {
        let deployment = state.deployments[replica.deploymentID]
        if let attempt = deployment?.replicas[replica.number]?.attempt { attempts.insert(attempt) }
      }
    }
    for attempt in attempts {
      replicas.insert(attempt.replica)
      for state in [old, new] {
        if let node = state.attempts[attempt]?.node { streams.insert(node.stream) }
      }
    }
    for stream in streams { followLinks(of: stream, old, new) }
    noteReassignedNodes(old, new)
    noteGrants(in: new)
    // A secret that was lost, or an end of what was started with it: neither names all it concerns.
    if old.lostSecretAttempts != new.lostSecretAttempts {
      let changed = old.lostSecretAttempts.symmetricDifference(new.lostSecretAttempts)
      replicas.formUnion(changed.map(\.replica))
    }
    deployments.formUnion(replicas.map(\.deploymentID))
  }

  private init() {}

  static func everything(in state: HostingState) -> Touched {
    var all = Touched()
    all.streams.formUnion(state.providers.byID.keys.map(\.stream))
    all.streams.formUnion(state.agreements.keys.map(\.stream))
    all.streams.formUnion(state.engines.byID.keys.map(\.stream))
    all.streams.formUnion(state.models.byID.keys.map(\.stream))
    all.streams.formUnion(state.teams.byID.keys.map(\.stream))
    all.streams.formUnion(state.keys.keys.map(\.stream))
    all.streams.formUnion(state.persons.byID.keys.map(\.stream))
    all.streams.formUnion(state.nodes.byID.keys.map(\.stream))
    all.streams.formUnion(state.gateways.byID.keys.map(\.stream))
    all.marks = Set(state.log.marks.keys)
    for deployment in state.deployments.byID.values {
      all.deployments.insert(deployment.id)
      all.replicas.formUnion(deployment.replicas.values.map(\.id))
    }
    return all
  }

  /// An event on a deployment's stream names its replicas by their numbers.
  private mutating func noteReplicas(
    of event: StoredEvent, _ old: HostingState, _ new: HostingState
  ) {
    let id = ID<Deployment>(event.stream.origin)
    let body = try? EventTypes.decode(
      type: event.type, schemaVersion: event.schemaVersion, data: event.data)
    if let body, let numbers = new.replicas(changedBy: body, of: id, since: old) {
      for number in numbers { replicas.insert(ReplicaID(deployment: id.position, number: number)) }
      return
    }
    for state in [old, new] {
      replicas.formUnion(state.deployments[id]?.replicas.values.map(\.id) ?? [])
    }
  }

  /// What a node is to run hangs on more than events about it say: the end of an agreement, for one.
  private mutating func noteReassignedNodes(_ old: HostingState, _ new: HostingState) {
    for node in new.reassigned(since: old) { streams.insert(node.stream) }
  }

  /// It is the end of what was granted under it, too.
  private mutating func noteGrants(in state: HostingState) {
    guard streams.contains(where: { $0.kind == .agreement }) else { return }
    let providers = streams.filter { $0.kind == .provider }
    for team in state.teams.byID.values
    where team.grants.keys.contains(where: { model in
      state.models[model].map { providers.contains($0.provider.stream) } ?? false
    }) {
      streams.insert(team.id.stream)
    }
  }

  private mutating func followLinks(
    of stream: Stream, _ old: HostingState, _ new: HostingState
  ) {
    for state in [old, new] {
      switch stream.kind {
      case .agreement:
        if let agreement = state.agreements[ID(stream.origin)] {
          streams.insert(agreement.provider.stream)
        }
      case .provider:
        if let agreement = state.providers[ID(stream.origin)]?.agreement {
          streams.insert(agreement.stream)
        }
      case .node:
        for attempt in state.nodes[ID(stream.origin)]?.attempts ?? [] {
          replicas.insert(attempt.replica)
        }
      case .deployment, .engine, .gateway, .key, .log, .model, .person, .team: break
      }
    }
  }
}

// Ids in the text of an event.
extension Touched {
  /// Notes every JSON string that has the form of an id: `model/17`, `31.2.40`, `31.2`.
  private mutating func noteIDs(in json: [UInt8]) {
    let quote = UInt8(ascii: "\""), escape = UInt8(ascii: "\\")
    var start: Int?
    var index = 0
    while index < json.count {
      switch json[index] {
      case escape: index += 1
      case quote:
        if let from = start {
          note(json[from..<index])
          start = nil
        } else {
          start = index + 1
        }
      default: break
      }
      index += 1
    }
  }

  private static let longestID = 64

  private mutating func note(_ text: ArraySlice<UInt8>) {
    // Ids end in a digit; most strings are told apart by that.
    guard let last = text.last, (48...57).contains(last), text.count <= Self.longestID else {
      return
    }
    let string = String(decoding: text, as: UTF8.self)
    if let stream = Stream(string) {
      streams.insert(stream)
    } else if let attempt = try? AttemptID(jsonText: string) {
      attempts.insert(attempt)
    } else if let replica = try? ReplicaID(jsonText: string) {
      replicas.insert(replica)
    }
  }
}
