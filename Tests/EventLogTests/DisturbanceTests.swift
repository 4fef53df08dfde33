// What others do in the same database, or beside it, for the whole run: appends and tails keep their
// rate. Each store that is known to be wrong is found out by the same measure.

import Hosting
import TestKit
import Testing

@testable import EventLog

@Suite(.serialized, .turn, .bounded) struct DisturbanceTests {
  /// Of its rate, what a store keeps that nothing holds up. None of the disturbances takes a core, so a
  /// right one keeps all of it; the rest is what a median still wavers on a busy machine.
  private static let keptShare = 0.8
  /// A machine that is busy with something else in every second turn is not so three times over; what
  /// holds a store up does so each time.
  private static let tries = 3
  /// So little, in the median of pairs, is nobody's chance: it is not tried again.
  private static let hopelessShare = 0.5

  /// Whether it kept its rate in one of some tries; and what it kept in each.
  private func keepsItsRate(
    _ store: MeasuredStore, beside disturbance: Disturbance
  ) async throws -> (keeps: Bool, shares: [Double]) {
    var shares: [Double] = []
    while shares.count < Self.tries {
      let share = try await store.shareKept(beside: disturbance)
      shares.append(share)
      if share >= Self.keptShare { return (true, shares) }
      if share < Self.hopelessShare { break }
    }
    return (false, shares)
  }

  @Test(arguments: Disturbance.allCases)
  func `appends and tails keep their rate`(beside disturbance: Disturbance) async throws {
    try await MeasuredStore.with(.none) { store in
      let (keeps, shares) = try await keepsItsRate(store, beside: disturbance)
      print("\(disturbance): \(shares)")
      #expect(keeps, "of its rate it kept \(shares)")
      let marks = try store.rig.verified().count { $0.type == "markPlaced" }
      #expect(marks == store.commands, "everything was stored, once")
    }
  }

  @Test(arguments: [
    (Flaw.locksTheTable, Disturbance.dump), (.scansDeadRows, .idleTransaction),
    (.gatesItsTail, .idleTransactionElsewhere), (.gatesItsTail, .preparedTransaction),
  ])
  func `a store that is known to be wrong does not`(
    flaw: Flaw, beside disturbance: Disturbance
  ) async throws {
    try await MeasuredStore.with(flaw) { store in
      let (keeps, shares) = try await keepsItsRate(store, beside: disturbance)
      print("\(flaw), \(disturbance): \(shares)")
      #expect(!keeps, "of its rate it kept \(shares)")
    }
  }
}
