// The projector goes on from a snapshot: shown by a log whose beginning nobody could fold any more.

import Hosting
import Logging
import Postgres
import TestKit
import Testing

@testable import ControlPlane
@testable import EventLog

@Suite(.database) struct ViewsSnapshotTests {
  @Test func `the projector opens from the snapshot before its checkpoint`() async throws {
    let rig = try await LogRig(TestDatabase.current)
    var commands = RandomCommands(seed: 31)
    try await withProjector(rig) {
      while rig.member.board.current.state.position < 1_200 {
        try await rig.send(&commands, count: 50)
      }
      try await viewsCatchUp(rig)
    }
    let expected = rig.member.board.current
    await rig.stop()
    let database = try TestDatabase.current.configuration
    try await onThread { connection in
      try SnapshotStore(secret: LogRig.secret, logger: .quiet).write(
        KeptState(state: expected.state, hash: expected.hash), on: &connection)
      try connection.script(
        """
        ALTER TABLE log.events DISABLE TRIGGER ALL;
        DELETE FROM log.events WHERE position BETWEEN 2 AND 1000;
        """)
    }
    let snapshots = SnapshotStore(secret: LogRig.secret, logger: .quiet)
    var settings = LogSettings(
      database: database, instance: "two", address: "http://two", makeCommandID: { .random() })
    settings.snapshots = snapshots
    let member = try LogMember(settings: settings, secret: LogRig.secret, logger: .quiet)
    let running = Task { try await member.run() }
    let projector = try Projector(
      board: member.board, database: database, keys: member.keys, logger: .quiet,
      snapshots: snapshots)
    let projecting = Task { try await projector.run() }
    try await eventually("two leads") {
      if case .leading = member.board.current.standing { true } else { false }
    }
    try await viewsReach(member.board.current.state.position)
    projecting.cancel()
    _ = try? await projecting.value
    member.stop()
    _ = try? await running.value
    let told = try await onThread { connection in
      try connection.query("SELECT count(*) FROM views.timeline")[0].decode(Int64.self, at: 0)
    }
    #expect(told > expected.state.position.value, "the views are the old ones, gone on from")
  }
}
