// `wharfd rebuild`: make the views anew from the log, while those that are there serve on.

import ArgumentParser
import ControlPlane
import EventLog
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
    let progress = Progress("projected")
    _ = try Migrator.migrate(configuration)
    do {
      var connection = try Connection(configuration, timeout: .seconds(10))
      let views = try Rebuild.run(&connection, keys: keys) { progress.show($0) }
      progress.end()
      print("The views are new: position \(views.position).")
    } catch {
      progress.end()
      print("The views were not rebuilt, and the old ones stay: \(error)")
      throw ExitCode.failure
    }
  }
}

extension Progress {
  fileprivate func show(_ step: Rebuild.Step) {
    switch step {
    case .filling(let position, let head):
      say("reading the log", at: " of \(head) events")
      show(position, of: head)
    case .writingRows(let count): say("writing \(count) rows of the state")
    case .catchingUp(let position): say("catching up", at: " to position \(position)")
    case .swapped(let checkpoint): say("swapped in, at position \(checkpoint.position)")
    case .kept(let schema):
      say("the old views are still being read: \(schema) goes with the next rebuild")
    }
  }
}
