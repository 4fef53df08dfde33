// `wharfd verify`: read the whole log and prove that it is unaltered.

import ArgumentParser
import ControlPlane
import EventLog
import Hosting

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check positions, times, hashes and readability of every event.",
    discussion: "Exit code 1 and the first bad position, when something does not fit.")

  @OptionGroup var database: DatabaseOption

  func run() throws {
    let progress = Progress("verified")
    let sound: Verification.Sound
    do {
      sound = try Verification.run(Daemon.database(database.database)) { position, count in
        progress.show(position, of: Position(count))
      }
    } catch let error as LogError {
      progress.end()
      print("The log is not sound: \(error).")
      throw ExitCode.failure
    }
    progress.end()
    print("The log is sound: \(sound.position) events, head \(sound.hash).")
  }
}
