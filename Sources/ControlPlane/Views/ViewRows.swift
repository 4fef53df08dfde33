// The rows of a state: of everything in it, or of what was touched. One function gives both, so that
// what is kept row by row can be held against what the whole state says.

import HashTreeCollections
import Hosting

package typealias Tallies = TreeDictionary<ID<Deployment>, Tally>

package enum ViewRows {
  /// Every table that a state has rows in, and the timeline.
  package static let tables: [ViewTable] =
    [
      ProviderRows.providers.table, AgreementRows.agreements.table, EngineRows.engines.table,
      ModelRows.models.table, ModelRows.versions.table, TeamRows.teams.table,
      TeamRows.grants.table, KeyRows.keys.table, PersonRows.persons.table,
      DeploymentRows.deployments.table, ReplicaRows.replicas.table, NodeRows.nodes.table,
      NodeRows.devices.table, NodeRows.attempts.table, GatewayRows.gateways.table,
      MarkRows.marks.table, timeline,
    ]

  package static let timeline = TimelineRows.timeline.table

  /// The rows of what was touched, as they are in this state.
  package static func rows(
    of touched: Touched, in state: HostingState, _ tallies: Tallies
  ) -> RowSet {
    var rows = RowSet()
    for stream in touched.streams { add(stream, of: state, to: &rows) }
    for deployment in touched.deployments {
      DeploymentRows.add(deployment, tallies[deployment] ?? Tally(), of: state, to: &rows)
    }
    for replica in touched.replicas { ReplicaRows.add(replica, of: state, to: &rows) }
    for mark in touched.marks { MarkRows.add(mark, of: state, to: &rows) }
    return rows
  }

  /// The rows of the whole state: what a rebuild writes, and what keeping rows must come to.
  package static func all(of state: HostingState) -> RowSet {
    rows(of: .everything(in: state), in: state, tallies(of: state))
  }

  package static func tallies(of state: HostingState) -> Tallies {
    var tallies = Tallies()
    for deployment in state.deployments.byID.values {
      var tally = Tally()
      for replica in deployment.replicas.values { tally += Tally(of: replica.id, in: state) }
      tallies[deployment.id] = tally
    }
    return tallies
  }

  private static func add(_ stream: Stream, of state: HostingState, to rows: inout RowSet) {
    switch stream.kind {
    case .provider: ProviderRows.add(ID(stream.origin), of: state, to: &rows)
    case .agreement: AgreementRows.add(ID(stream.origin), of: state, to: &rows)
    case .engine: EngineRows.add(ID(stream.origin), of: state, to: &rows)
    case .model: ModelRows.add(ID(stream.origin), of: state, to: &rows)
    case .team: TeamRows.add(ID(stream.origin), of: state, to: &rows)
    case .key: KeyRows.add(ID(stream.origin), of: state, to: &rows)
    case .person: PersonRows.add(ID(stream.origin), of: state, to: &rows)
    case .node: NodeRows.add(ID(stream.origin), of: state, to: &rows)
    case .gateway: GatewayRows.add(ID(stream.origin), of: state, to: &rows)
    // Deployments are added with their tallies; marks by their names.
    case .deployment, .log: break
    }
  }
}
