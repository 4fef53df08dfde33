// How large the world of a run is.

package struct ScaleSize: Sendable {
  package var providers = 50
  package var models = 5_000
  package var teams = 10_000
  package var grantsPerTeam = 100
  package var keysPerTeam = 2
  package var nodes = 10_000
  package var devicesPerNode = 8
  package var deployments = 2_000
  package var replicasPerDeployment = 50
  /// Real programs, and few: each is one more copy of the policy.
  package let gateways = 3

  package init() {}

  /// A part of the world, of which each team still has as many grants, and each node as many devices.
  package func scaled(by share: Double) -> ScaleSize {
    func part(_ count: Int) -> Int { max(1, Int((Double(count) * share).rounded())) }
    var size = self
    size.providers = part(providers)
    size.models = part(models)
    size.teams = part(teams)
    size.grantsPerTeam = min(grantsPerTeam, size.models)
    size.nodes = part(nodes)
    size.deployments = part(deployments)
    return size
  }

  package var text: String {
    "\(providers) providers, \(models) models, \(teams) teams, \(teams * grantsPerTeam) grants, "
      + "\(teams * keysPerTeam) keys, \(nodes) nodes with \(devicesPerNode) devices, "
      + "\(deployments * replicasPerDeployment) replicas"
  }
}
