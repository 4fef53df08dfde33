// The arithmetic of leases: every duration that a promise rests on, and the functions that say who may
// still act on what it was told. Pure. LEASES.md, beside this file, has the proof.

package enum Leases {
  // Gateways

  /// A gateway serves by its policy for so long, counted from when the answered request was sent.
  package static let policySeconds = 60
  /// A gateway asks for its lease anew this often, beside the long poll.
  package static let renewalSeconds = 5
  /// An engine is told to stop this long after its route was taken out of the policy, also when some
  /// gateway did not say that it has left it.
  package static let leaveSeconds = 30

  // Leaders

  /// A wharfd that asked the database so long ago whether it leads gives nothing out any more: in this
  /// time another may lead without its knowing.
  package static let touchSeconds = 8

  // Clocks

  /// Two machines' clocks of time since boot may run apart by this much of a span. NTP slews a clock by
  /// half a thousandth at most; this is twice what two that are slewed apart can reach.
  package static let driftPerMille = 2

  /// A span, as one machine has to wait for it so that it is over by every machine's clock.
  package static func widened(_ span: Duration) -> Duration {
    span + span * driftPerMille / 1_000
  }

  /// What a leader knows of a process that may hold leases.
  package struct Holder<Instant: InstantProtocol> where Instant.Duration == Duration {
    /// When this leader last gave it a lease; none, if it never did.
    package var givenAt: Instant?
    /// It was there when this leader took over: one before may have given it a lease, too.
    package var isInherited: Bool
    /// How long it serves on after its lease, when it hears nothing.
    package var graceSeconds: Int

    package init(givenAt: Instant?, isInherited: Bool, graceSeconds: Int) {
      self.givenAt = givenAt
      self.isInherited = isInherited
      self.graceSeconds = graceSeconds
    }
  }

  /// From when on a gateway's process serves nothing by a policy that it has, if it hears no more. None:
  /// it never could.
  ///
  /// - Parameter ledSince: any moment after this leader took over, on its own clock.
  package static func servesUntil<Instant>(
    _ holder: Holder<Instant>, ledSince: Instant
  ) -> Instant? {
    let tail = policySeconds + holder.graceSeconds
    var end = holder.givenAt?.advanced(by: widened(.seconds(tail)))
    if holder.isInherited {
      let inherited = ledSince.advanced(by: widened(.seconds(touchSeconds + tail)))
      end = max(end ?? inherited, inherited)
    }
    return end
  }
}
