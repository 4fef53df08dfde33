// A run of `wharf-bench log`: the circumstances first, then every arm in rounds of ABBA order.

import Hosting
import Postgres

package struct LogBench: Sendable {
  package struct Settings: Sendable {
    /// Each append arm's time in a round.
    package var seconds = 3.0
    /// Events of the long log.
    package var events = 200_000
    /// Each goes through all arms forwards, then backwards.
    package var rounds = 2
    /// All when empty.
    package var arms: [String] = []
    /// A message-db database's URL, or the folder of its release.
    package var messageDB: String?
    package var eventsourcing = false
    /// An interpreter that has the library.
    package var python: String?
    /// The wharfd to start; none leaves that arm out.
    package var wharfd: String?

    package init() {}
  }

  /// What an arm may be called, peers besides.
  package static let armNames =
    [
      "submit-1", "submit-16", "submit-64", "submit-256", "persons-256", "insert-1", "insert-16",
      "unnest", "view",
      "projector", "read", "copy", "fold", "rebuild", "verify", "start",
    ]

  private let settings: Settings
  private let cluster: Cluster
  private let tell: @Sendable (String) -> Void

  package init(
    _ settings: Settings, on cluster: Cluster, tell: @escaping @Sendable (String) -> Void
  ) {
    self.settings = settings
    self.cluster = cluster
    self.tell = tell
  }

  package func run() async throws -> Report {
    var circumstances = try Circumstances(settings, on: cluster)
    for line in circumstances.lines { tell(line) }
    let peers = try preparePeers()
    for (name, version) in peers.versions { tell("peer: \(name) \(version)") }
    circumstances.peers = peers.versions
    tell("preparing a log of \(settings.events) events")
    let databases = try await Databases.prepare(cluster, events: settings.events)
    let arms = (arms(databases) + peers.arms).filter {
      settings.arms.isEmpty || settings.arms.contains($0.name)
    }
    var report = await measure(arms)
    report.circumstances = circumstances
    return report
  }

  /// ABBA: what the machine does meanwhile meets all arms alike.
  package func measure(_ arms: [any Arm]) async -> Report {
    var samples: [String: [Sample]] = [:]
    var voided: [String: [String]] = [:]
    for round in 0..<2 * settings.rounds {
      for arm in round % 2 == 0 ? arms : arms.reversed() where voided[arm.name] == nil {
        do {
          let sample = try await arm.run()
          samples[arm.name, default: []].append(sample)
          tell(
            "pass \(round + 1) of \(2 * settings.rounds): \(arm.name) "
              + "\(Int(sample.eventsPerSecond)) events/s")
        } catch let void as VoidedArm {
          voided[arm.name] = void.faults
          tell("VOID \(arm.name): \(void)")
        } catch {
          voided[arm.name] = ["\(error)"]
          tell("\(arm.name) failed: \(error)")
        }
      }
    }
    var report = Report()
    for arm in arms {
      if let faults = voided[arm.name] {
        report.voided.append(.init(name: arm.name, faults: faults))
      } else if let samples = samples[arm.name] {
        report.arms.append(.init(name: arm.name, samples: samples))
      }
    }
    return report
  }

  private func arms(_ databases: Databases) -> [any Arm] {
    let (seconds, events, size) = (settings.seconds, settings.events, BatchSize())
    var arms: [any Arm] = [1, 16, 64, 256].map { producers in
      AppendArm("submit-\(producers)", producers: producers, seconds: seconds) {
        try await LogStore(databases, producers: producers, batchSize: size)
      }
    }
    arms.append(
      AppendArm("persons-256", producers: 256, seconds: seconds) {
        try await LogStore(databases, producers: 256, callers: .persons)
      })
    arms.append(
      AppendArm("unnest", producers: 1, seconds: seconds) {
        try await InsertStore(databases, batch: size.rows)
      })
    arms += [1, 16].map { clients in
      AppendArm("insert-\(clients)", producers: clients, seconds: seconds) {
        try await InsertStore(databases, batch: 1)
      }
    }
    arms += [
      ViewArm(databases: databases, seconds: seconds),
      ProjectorArm(databases: databases, events: events),
      ReadArm(databases: databases, events: events), CopyArm(databases: databases, events: events),
      FoldArm(databases: databases, events: events),
      RebuildArm(databases: databases, events: events),
      VerifyArm(databases: databases, events: events),
    ]
    if let wharfd = settings.wharfd, cluster.folder != nil {
      arms.append(StartArm(databases: databases, events: events, wharfd: wharfd))
    } else if settings.arms.isEmpty || settings.arms.contains("start") {
      tell("start is left out: there is no wharfd beside this program, or the cluster is not ours")
    }
    return arms
  }

  private typealias Peers = (arms: [any Arm], versions: [(name: String, version: String)])

  private func preparePeers() throws -> Peers {
    var peers: Peers = ([], [])
    if let place = settings.messageDB,
      let peer = try MessageDB.prepare(place, cluster, tell: tell)
    {
      peers.versions.append(("message-db", peer.version))
      peers.arms += [1, 16].map { clients in
        AppendArm("message-db-\(clients)", producers: clients, seconds: settings.seconds) {
          try await peer.store()
        }
      }
    }
    if settings.eventsourcing,
      let peer = try PythonEventsourcing.prepare(
        python: settings.python, cluster, seconds: settings.seconds, tell: tell)
    {
      peers.versions.append((peer.name, peer.version))
      peers.arms.append(peer)
    }
    return peers
  }
}
