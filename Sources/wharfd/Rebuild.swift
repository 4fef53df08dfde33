// `wharfd rebuild`: make the views anew from the log, while those that are there serve on.

import ArgumentParser
import ControlPlane
import EventLog
import Foundation
import Hosting
import Postgres

struct RebuildViews: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Make the views anew from the log, and swap them in at once.",
    discussion: """
      A running wharfd serves and follows the old views until the swap, and the new ones after. Exit \
      code 1, and the old views stay, when something does not go on. Killed, run it again.
      """)

  @OptionGroup var database: DatabaseOption
  @OptionGroup var secretOption: SecretOption

  func run() throws {
    let configuration = try Daemon.database(database.database)
    let keys = PersonKeys(try secretOption.read())
    _ = try Migrator.migrate(configuration)
    let display = ProgressDisplay()
    do {
      var connection = try Connection(configuration, timeout: .seconds(10))
      let views = try Rebuild.run(&connection, keys: keys) { display.show($0) }
      display.end()
      print("The views are new: position \(views.position).")
    } catch {
      display.end()
      print("The views were not rebuilt, and the old ones stay: \(error)")
      throw ExitCode.failure
    }
  }
}

/// One line that moves on a terminal; elsewhere a line for each step.
private final class ProgressDisplay {
  private static let barColumns = 30
  private static let redrawSeconds = 0.1

  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var lastDrawn: ContinuousClock.Instant?
  private var lastStep = ""

  func show(_ step: Rebuild.Step) {
    switch step {
    case .filling(let position, let head): showFilling(position, head)
    case .writingRows(let count): say("writing \(count) rows of the state")
    case .catchingUp(let position): say("catching up", at: " to position \(position)")
    case .swapped(let checkpoint): say("swapped in, at position \(checkpoint.position)")
    case .kept(let schema):
      say("the old views are still being read: \(schema) goes with the next rebuild")
    }
  }

  func end() {
    if isTerminal, lastDrawn != nil { write("\r\u{1B}[K") }
  }

  private func showFilling(_ position: Position, _ head: Position) {
    guard isTerminal else { return say("reading the log", at: " of \(head) events") }
    let now = ContinuousClock.now
    if let lastDrawn, now - lastDrawn < .seconds(Self.redrawSeconds), position < head { return }
    lastDrawn = now
    let share = head == .empty ? 1 : Double(position.value) / Double(head.value)
    let full = Int(share * Double(Self.barColumns))
    let bar =
      String(repeating: "█", count: full)
      + String(repeating: "░", count: Self.barColumns - full)
    let rate = Double(position.value) / max(0.001, (now - start) / .seconds(1))
    write("\r\u{1B}[K\(bar) \(Int(share * 100)) %  \(position) of \(head) events, \(Int(rate))/s")
  }

  /// A step is said once, also when it is reported many times.
  private func say(_ step: String, at place: String = "") {
    guard step != lastStep else { return }
    lastStep = step
    write(isTerminal ? "\r\u{1B}[K\(step)\(place)" : "\(step)\(place)\n")
    if isTerminal { lastDrawn = ContinuousClock.now }
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
