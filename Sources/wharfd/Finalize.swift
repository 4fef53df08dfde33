// `wharfd finalize`: let the log hold what came with this program, once no older wharfd is left.

import ArgumentParser
import ControlPlane
import EventLog
import Hosting
import Logging
import Time

struct Finalize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Raise the log to the format level that this wharfd reads and writes.",
    discussion: """
      Run it after every wharfd of the system has been replaced. Until then the new ones write nothing \
      that the old ones cannot read, and you can go back; afterwards an older wharfd refuses to start. \
      Exit code 1, and nothing is changed, while an older wharfd lives.
      """)

  @OptionGroup var database: DatabaseOption

  @OptionGroup var secretOption: SecretOption

  func run() throws {
    let configuration = try Daemon.database(database.database)
    let secret = try secretOption.read()
    let logger = Logger(label: "wharfd") { StreamLogHandler.standardError(label: $0) }
    do {
      let outcome = try Finalization.run(
        configuration, secret: secret, snapshots: SnapshotStore(secret: secret, logger: logger),
        makeCommandID: { Clocks.system.makeCommandID() })
      switch outcome {
      case .raised(let level, let position):
        print("The log is at format level \(level), from position \(position).")
      case .alreadyAt(let level):
        print("The log is at format level \(level) already; nothing to do.")
      }
    } catch let refusal as Refusal {
      print("The log was not raised: \(refusal)")
      throw ExitCode.failure
    } catch let error as LogError {
      print("The log was not raised: \(error)")
      throw ExitCode.failure
    }
  }
}
