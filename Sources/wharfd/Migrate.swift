// `wharfd migrate`: bring the database to the form that this program needs.

import ArgumentParser
import ControlPlane
import EventLog
import Migrations

struct Migrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Apply the migrations that the database lacks.")

  @OptionGroup var database: DatabaseOption

  func run() throws {
    let done = try Migrator.migrate(Daemon.database(database.database))
    if done.isEmpty { print("The database is up to date.") }
    for migration in done { print("Applied migration \(migration.number), \(migration.name).") }
  }
}
