// A wharfd's place in the log, in the bench's own process.

import EventLog
import Hosting
import Logging
import Postgres
import Synchronization

final class Member: Sendable {
  private static let secretBytes = [UInt8](repeating: 7, count: ClusterSecret.byteCount)
  static let secret = ClusterSecret(bytes: secretBytes)
  /// As in a file.
  static let secretText = secretBytes.hexadecimal + "\n"
  private static let leadTimeoutSeconds = 60

  let log: LogMember
  private let task: Task<Void, any Error>
  private let ended: Ended

  static var logger: Logger {
    var logger = Logger(label: "wharf-bench") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    return logger
  }

  /// Leads the log of a migrated database.
  static func leading(_ database: PostgresConfiguration) async throws -> Member {
    let member = try Member(database)
    let deadline = ContinuousClock.now + .seconds(leadTimeoutSeconds)
    while ContinuousClock.now < deadline {
      if case .leading = member.log.board.current.standing { return member }
      // It gives up by itself only for a reason that no waiting helps against.
      if member.ended.isSet {
        try await member.task.value
        break
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    await member.stop()
    throw BenchFailure("no log was led within \(leadTimeoutSeconds) s")
  }

  private init(_ database: PostgresConfiguration) throws {
    let settings = LogSettings(
      database: database, instance: "bench", address: "http://bench",
      makeCommandID: { Workload.commandID() })
    let log = try LogMember(settings: settings, secret: Self.secret, logger: Self.logger)
    self.log = log
    let ended = Ended()
    self.ended = ended
    task = Task {
      defer { ended.set() }
      try await log.run()
    }
  }

  func stop() async {
    log.stop()
    _ = try? await task.value
  }
}

private final class Ended: Sendable {
  private let flag = Mutex(false)

  func set() { flag.withLock { $0 = true } }
  var isSet: Bool { flag.withLock { $0 } }
}
