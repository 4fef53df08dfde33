// wharfd: the API, the log, the reconciler; and the commands that tend the log.

import ArgumentParser

@main
struct Wharfd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wharfd",
    abstract: "The control plane of Wharf: API, event log and reconciler.",
    subcommands: [
      Run.self, Migrate.self, Verify.self, RebuildViews.self, Export.self, Import.self,
      Recover.self, Finalize.self,
    ],
    defaultSubcommand: Run.self)
}

struct DatabaseOption: ParsableArguments {
  @Option(help: "PostgreSQL, as postgres://… or key=value pairs; WHARF_DATABASE_URL when absent.")
  var database: String?
}
