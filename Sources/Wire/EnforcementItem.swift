// `GET /v1/gateways/enforced?position=P`: how far each gateway has come, so that whoever revokes
// something knows when it took effect everywhere.

import Hosting

package struct EnforcementItem: Codable, Equatable, Sendable, JSONWritable {
  package var gateway: Name
  /// From this position on, nothing is answered that the policy refuses; none, if it never said.
  package var enforced: Position?
  /// Until it serves nothing for certain, unless it is heard from, its grace included; 0 when that has
  /// come.
  package var leaseSeconds: Double
  /// Tells apart the processes of one gateway.
  package var incarnation: String?
  package var address: String?
  /// How long it serves on after its lease, if no leader answers it.
  package var graceSeconds: Int?
  /// Since it was given a lease by this leader.
  package var heardSeconds: Double?
  /// Its gateway was removed.
  package var removed: Bool?
  /// Not one process, but all that the log cannot name.
  package var isUnknown: Bool?

  package init(
    gateway: Name, enforced: Position?, leaseSeconds: Double, incarnation: String? = nil,
    address: String? = nil, graceSeconds: Int? = nil, heardSeconds: Double? = nil,
    removed: Bool? = nil, isUnknown: Bool? = nil
  ) {
    self.gateway = gateway
    self.enforced = enforced
    self.leaseSeconds = leaseSeconds
    self.incarnation = incarnation
    self.address = address
    self.graceSeconds = graceSeconds
    self.heardSeconds = heardSeconds
    self.removed = removed
    self.isUnknown = isUnknown
  }

  /// Nothing that the position forbids is answered here any more.
  package func holds(_ position: Position) -> Bool {
    leaseSeconds <= 0 || enforced.map { $0 >= position } ?? false
  }
}
