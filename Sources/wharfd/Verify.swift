// `wharfd verify`: read the whole log and prove that it is unaltered.

import ArgumentParser
import ControlPlane
import EventLog
import Foundation
import Hosting

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check positions, times, hashes and readability of every event.",
    discussion: "Exit code 1 and the first bad position, when something does not fit.")

  @OptionGroup var database: DatabaseOption

  func run() throws {
    let showsProgress = isatty(STDERR_FILENO) == 1
    let sound: Verification.Sound
    do {
      sound = try Verification.run(Daemon.database(database.database)) { position, count in
        if showsProgress {
          Self.show("\rverified \(position) of \(count) events")
        }
      }
    } catch let error as LogError {
      if showsProgress { Self.show("\n") }
      print("The log is not sound: \(error).")
      throw ExitCode.failure
    }
    if showsProgress { Self.show("\r\u{1B}[K") }
    print("The log is sound: \(sound.position) events, head \(sound.hash).")
  }

  private static func show(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }
}
