// `GET /v1/gateways/enforced?position=P`: how far each gateway has come, so that whoever revokes
// something knows when it took effect everywhere.

import Hosting

package struct EnforcementItem: Codable, Equatable, Sendable {
  package var gateway: Name
  /// From this position on, nothing is answered that the policy refuses; none, if it never said.
  package var enforced: Position?
  /// Until it serves nothing, unless it is heard from; 0 when that has come.
  package var leaseSeconds: Double

  package init(gateway: Name, enforced: Position?, leaseSeconds: Double) {
    self.gateway = gateway
    self.enforced = enforced
    self.leaseSeconds = leaseSeconds
  }

  /// Nothing that the position forbids is answered here any more.
  package func holds(_ position: Position) -> Bool {
    leaseSeconds <= 0 || enforced.map { $0 >= position } ?? false
  }
}
