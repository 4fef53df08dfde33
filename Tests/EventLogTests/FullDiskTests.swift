// The database's disk is full, where its table is or where its journal is. Commands get an error in bounded
// time, and the same wharfd goes on when there is room again.

import Foundation
import Glibc
import Hosting
import Postgres
import TestKit
import Testing

@testable import EventLog

/// A cluster of which one part is on a disk that is small: a file system in memory, which only root can
/// mount.
private final class SmallDisk {
  enum Part: String, CaseIterable, Sendable { case table, journal }

  let database: TestDatabase
  private let part: Part
  private let cluster: TestCluster
  private let path: String

  init(under part: Part) async throws {
    self.part = part
    cluster = try await TestCluster.dedicated(
      settings: .init(parameters: ["min_wal_size": "32MB", "max_wal_size": "32MB"]))
    database = try await cluster.makeDatabase()
    path = "\(cluster.folder)/disk"
    let data = "\(cluster.folder)/data"
    try shell(
      "mkdir \(path) && mount -t tmpfs -o size=48m tmpfs \(path) && chown --reference=\(data) \(path)"
    )
    guard part == .journal else { return }
    try await cluster.stop()
    try shell(
      "cp -a \(data)/pg_wal \(path)/pg_wal && rm -r \(data)/pg_wal && ln -s \(path)/pg_wal \(data)/pg_wal"
    )
    try await cluster.start()
  }

  /// - Parameter relations: what a table consists of: it goes there.
  func hold(_ relations: [String]) throws {
    guard part == .table else { return }
    var connection = try database.connect()
    try connection.script("CREATE TABLESPACE small LOCATION '\(path)'")
    for name in relations { try connection.script("ALTER \(name) SET TABLESPACE small") }
  }

  /// What is left is taken by something else.
  func fill() throws {
    try shell("dd if=/dev/zero of=\(path)/ballast bs=4k 2> /dev/null || true")
    guard part == .journal else { return }
    // The journal's files that are there are used up, until none can be added.
    for _ in 0..<10 {
      _ = try? shell(
        """
        psql -q -d '\(database.url)' > /dev/null 2>&1 \
          -c "SELECT pg_logical_emit_message(true, 'a', 'b'), pg_switch_wal()" || true
        """)
    }
  }

  func free() async throws {
    try shell("rm \(path)/ballast")
    guard part == .journal else { return }
    // PostgreSQL itself went down; it is started anew, wharfd is not.
    try? await cluster.stop(.immediate)
    try await cluster.start()
  }

  func remove() async throws {
    try await cluster.stop(.immediate)
    try shell("umount -l \(path)")
    await cluster.remove()
  }

  deinit { _ = try? shell("umount -l \(path) 2> /dev/null || true") }
}

/// One after another: each has a cluster of its own, and fills its disk.
@Suite(
  .serialized, .enabled(if: geteuid() == 0, "mounting a small disk needs root"),
  .turn, .bounded)
struct FullDiskTests {
  /// More than fit into what is left of the disk.
  private static let commandsLimit = 4_000

  private func faults(_ store: some ShortageStore, _ disk: SmallDisk) async throws -> [Fault] {
    var faults = Faults()
    let before = try await store.failure("before", id: .random())
    faults.note("it stores nothing: \(before!)", unless: before == nil)
    try disk.fill()
    let long = String(repeating: "n", count: 50)
    var failed: [(name: String, id: CommandID)] = []
    var stored = 1
    do {
      while failed.count < 3, stored < Self.commandsLimit {
        let (name, id) = ("\(long)-\(stored)-\(failed.count)", CommandID.random())
        let failure = try await store.failure(name, id: id)
        switch failure {
        case nil:
          stored += 1
          continue
        case .unavailable, .outOfTouch, .outcomeUnknown, .notLeading: break
        case .refused, .changesNothing, .idUsedOtherwise, .busy:
          faults.note("it was answered with \(failure!)", unless: false)
        }
        failed.append((name, id))
      }
      faults.note("the disk was not full: \(stored) were stored", unless: failed.count == 3)
    } catch is TestFailure {
      faults.note("no answer in bounded time", unless: false)
    }
    try await disk.free()
    guard faults.all.isEmpty else { return faults.all }
    do {
      for (name, id) in failed {
        try await eventually("\(name) is stored") {
          try await store.failure(name, id: id) == nil
        }
      }
      let count = try await store.count(of: nil)
      faults.note(
        "\(count) are stored, not \(stored + failed.count)", unless: count == stored + failed.count)
    } catch is TestFailure {
      faults.note("commands are not stored again", unless: false)
    }
    return faults.all
  }

  @Test(arguments: SmallDisk.Part.allCases)
  private func `errors in bounded time, then on without a restart, on a full disk of the`(
    part: SmallDisk.Part
  ) async throws {
    let disk = try await SmallDisk(under: part)
    let rig = try await Rig.hasty(disk.database)
    try disk.hold(["TABLE log.events", "INDEX log.events_pkey", "INDEX log.events_command"])
    let found = try await faults(rig, disk)
    #expect(found == [])
    await rig.stop()
    try await disk.remove()
  }

  /// A full disk of the table breaks no connection.
  @Test(
    arguments: [
      (SmallDisk.Part.table, FragileStore.Flaw.none, nil), (.journal, .none, nil),
      (.table, .waits, "no answer in bounded time"),
      (.journal, .waits, "no answer in bounded time"),
      (.journal, .staysBroken, "commands are not stored again"),
    ] as [(SmallDisk.Part, FragileStore.Flaw, String?)])
  private func `stores that wait without bound or stay broken are found out on a full disk of the`(
    part: SmallDisk.Part, flaw: FragileStore.Flaw, finding: String?
  ) async throws {
    let disk = try await SmallDisk(under: part)
    let store = try FragileStore(flaw, disk.database.configuration)
    try disk.hold(["TABLE toy", "INDEX toy_pkey"])
    let found = try await faults(store, disk)
    #expect(found == (finding.map { [Fault($0)] } ?? []))
    await store.end()
    try await disk.remove()
  }
}
