// The current hosting state: a pure fold of the log, made of persistent maps, so readers, planner,
// what-if and the batch in flight each hold their own copy for nothing.

import HashTreeCollections

package struct HostingState: Equatable, Sendable, SnapshotValue {
  /// The position of the last event folded.
  package private(set) var position: Position
  /// When that event was recorded; never falls.
  package private(set) var recordedAt = Timestamp(microseconds: 0)
  /// The last position on each stream of what there is: what "unchanged since" is checked against.
  package internal(set) var streamHeads: TreeDictionary<Stream, Position> = [:]

  package var log = LogState()
  package var persons = Catalog<Person>()
  /// Who a token or invitation belongs to, by its digest.
  package var credentials: TreeDictionary<Digest, Credential> = [:]
  /// Credentials of nodes that were removed, by where the log says so: the last ones.
  package internal(set) var removals: TreeDictionary<Position, Digest> = [:]
  package var providers = Catalog<Provider>()
  package var agreements: TreeDictionary<ID<Agreement>, Agreement> = [:]
  package var engines = Catalog<Engine>()
  package var models = Catalog<Model>()
  package var teams = Catalog<Team>()
  package var keys: TreeDictionary<ID<Key>, Key> = [:]
  package var keyBySecret: TreeDictionary<Digest, ID<Key>> = [:]
  package internal(set) var keysOf: TreeDictionary<ID<Team>, TreeSet<ID<Key>>> = [:]
  package var nodes = Catalog<Node>()
  package var deployments = Catalog<Deployment>()
  /// Every attempt whose end is not proved yet.
  package var attempts: TreeDictionary<AttemptID, Attempt> = [:]
  package var gateways = Catalog<Gateway>()
  /// Those that may serve, also of gateways that were removed; by their ids.
  package var gatewayProcesses: TreeDictionary<Position, GatewayProcess> = [:]
  package var gatewayGrace = GatewayGrace()

  // Indexes, so that a pass of the planner with nothing to do is cheap.

  /// Deployments with a replica that has no attempt, or with more replicas than wanted.
  package internal(set) var unsettled: TreeSet<ID<Deployment>> = []
  /// Deployments by what may bar them: a provider and a workload.
  package internal(set) var deploymentsIn: TreeDictionary<Line, TreeSet<ID<Deployment>>> = [:]
  package internal(set) var lostNodes: TreeSet<ID<Node>> = []
  /// Where what each node is to run changed last. What differs between two states is found here at the cost of
  /// what differs.
  package internal(set) var generations: TreeSet<NodeMark> = []
  /// Where each node changed last in any way.
  package internal(set) var nodeChanges: TreeSet<NodeMark> = []
  /// The join token that may still become the node of this id.
  package internal(set) var joinTokens: TreeDictionary<ID<Node>, JoinToken> = [:]
  /// Keys, tokens of persons, join tokens, grants and agreements by the dates that are set for them.
  package internal(set) var endings = Endings()
  /// Persons who are forgotten, and what was kept of them is not known to be gone.
  package internal(set) var unerased: TreeSet<ID<Person>> = []
  /// Attempts that gateways are to leave before their engines are told to stop.
  package internal(set) var leaving: TreeSet<AttemptID> = []
  /// Attempts that are not wanted any more and whose end is not proved: those that are left, and those
  /// that were told to stop.
  package internal(set) var departing: TreeSet<AttemptID> = []
  /// Attempts whose engines were started with a key of a secret that is lost.
  package internal(set) var lostSecretAttempts: TreeSet<AttemptID> = []

  /// Folds the next event. Throws, and leaves the state unusable for more, when it does not fit.
  package mutating func evolve(_ event: any Event, _ fact: Fact) throws(Contradiction) {
    guard fact.position == position.next else {
      throw Contradiction("the event at \(fact.position) cannot follow position \(position)")
    }
    guard fact.recordedAt >= recordedAt else {
      throw Contradiction("the event at \(fact.position) is dated before the one it follows")
    }
    try event.evolve(&self, fact)
    position = fact.position
    recordedAt = fact.recordedAt
    streamHeads[fact.stream] = isThere(fact.stream) ? fact.position : nil
  }

  /// Whether what a stream is about is in the state. Of what comes and goes the log alone remembers what is gone.
  func isThere(_ stream: Stream) -> Bool {
    switch stream.kind {
    case .node: nodes[ID(stream.origin)] != nil || joinTokens[ID(stream.origin)] != nil
    case .deployment: deployments[ID(stream.origin)] != nil
    case .gateway: gateways[ID(stream.origin)] != nil
    case .key: keys[ID(stream.origin)] != nil
    case .log, .person, .provider, .agreement, .engine, .model, .team: true
    }
  }
}

// Beside the declaration, so that the one of all fields stays: the snapshot's reader takes it.
extension HostingState {
  package init() { self.init(position: .empty) }
}
