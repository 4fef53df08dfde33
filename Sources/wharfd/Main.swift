// wharfd: the API, the log, the reconciler; and the commands that tend the log.

import ArgumentParser
import ControlPlane
import EventLog
import Program
import Wire

@main
enum Main {
  static func main() async { await Program.run(Wharfd.self) }
}

struct Wharfd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wharfd",
    abstract: "The control plane of Wharf: API, event log and reconciler.",
    version: "wharfd \(Program.version)",
    subcommands: [
      Run.self, Migrate.self, Verify.self, RebuildViews.self, Export.self, Import.self,
      Recover.self, Finalize.self,
    ],
    defaultSubcommand: Run.self)
}

struct SecretOption: ParsableArguments {
  @Option(help: "File of the secret that all wharfd of this system share.", transform: Paths.named)
  var secretFile: String

  /// The secret; never made anew here.
  func read() throws -> ClusterSecret {
    guard try SecretFile.read(secretFile) != nil else {
      throw ValidationError("there is no \(secretFile): name the file that wharfd run was given")
    }
    return try Bootstrap.clusterSecret(file: secretFile)
  }
}

struct DatabaseOption: ParsableArguments {
  @Option(help: "PostgreSQL, as postgres://… or key=value pairs; WHARF_DATABASE_URL when absent.")
  var database: String?
}
