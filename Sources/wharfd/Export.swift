// `wharfd export`: the log as a file that stands by itself.

import ArgumentParser
import ControlPlane
import EventLog
import Foundation
import Hosting
import Machine
import Postgres

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the log as lines of JSON, in the CloudEvents format.",
    discussion: """
      The exact text of every column is in it, so an import gives the same log to the byte. The chain \
      is checked on the way. A file appears under its name only when it is whole. With --after, what \
      came since an earlier export.

      Names and other personal data are in it sealed, and no key: imported, everyone is (forgotten). \
      With --keys, their keys go into a file of their own, wrapped with the cluster secret; keep it \
      apart, and no longer than needed: who is forgotten is not forgotten in it.

      Example: wharfd export --to log.ndjson
      """)

  @Option(help: "Only what stands past this position.") var after: Int64 = 0
  @Option(help: "The file to make; stdout when absent.") var to: String?
  @Option(help: "Also a file of the keys of persons, for wharfd import --keys; mode 0600.")
  var keys: String?
  @OptionGroup var database: DatabaseOption

  func validate() throws {
    if after < 0 { throw ValidationError("a position is never negative") }
  }

  func run() throws {
    let configuration = try Daemon.database(database.database)
    let progress = Progress("exported")
    do {
      var connection = try Connection(configuration, timeout: .seconds(10))
      let output = try OutputFile(to)
      let done = try LogExport.run(&connection, after: Position(after)) {
        progress.show($0, of: $1)
      } write: {
        try output.write($0)
      }
      let (bytes, count) = try KeyTransfer.export(&connection, upTo: done.head)
      if let keys {
        let file = try OutputFile(keys)
        try file.write(bytes)
        try file.finish()
      }
      try output.finish()
      progress.end()
      Progress.write(
        done.head > done.after
          ? "Exported positions \(done.after.next) to \(done.head), head \(done.hash).\n"
          : "Exported nothing: the log ends at position \(done.head), head \(done.hash).\n")
      Progress.write(
        keys.map {
          "The keys of \(count) persons are in \($0): whoever has it and the secret reads them.\n"
        }
          ?? "It holds no keys: imported, its \(count) persons are (forgotten), unless --keys gave a file.\n"
      )
    } catch {
      progress.end()
      Progress.write("The log was not exported: \(error).\n")
      throw ExitCode.failure
    }
  }
}

/// Stdout, or a new file that gets its name when it is whole and on disk.
private struct OutputFile {
  private struct Taken: Error, CustomStringConvertible {
    let description: String
  }

  /// As secret as the log itself; none, for stdout.
  private let file: NewFile?

  init(_ path: String?) throws {
    guard let path else {
      file = nil
      signal(SIGPIPE, SIG_IGN)
      return
    }
    guard !Files.exists(path) else {
      throw Taken(description: "\(path) exists already: move it away, or name another file")
    }
    file = try NewFile(path)
  }

  func write(_ bytes: [UInt8]) throws {
    guard let file else {
      return try Files.writeAll(bytes, to: STDOUT_FILENO, "stdout")
    }
    try file.write(bytes)
  }

  func finish() throws { try file?.create() }
}
