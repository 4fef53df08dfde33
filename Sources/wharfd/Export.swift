// `wharfd export`: the log as a file that stands by itself.

import ArgumentParser
import ControlPlane
import EventLog
import Foundation
import Hosting
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
private final class OutputFile {
  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let path: String?
  private let temporary: String
  private let descriptor: Int32
  private var isFinished = false

  init(_ path: String?) throws {
    self.path = path
    guard let path else {
      (temporary, descriptor) = ("", STDOUT_FILENO)
      signal(SIGPIPE, SIG_IGN)
      return
    }
    temporary = "\(path).\(getpid()).new"
    guard access(path, F_OK) != 0 else {
      throw Failure(description: "\(path) exists already: move it away, or name another file")
    }
    // As secret as the log itself.
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure("make", temporary) }
  }

  func write(_ bytes: [UInt8]) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0, errno != EINTR { throw Self.failure("write", path ?? "stdout") }
      written += max(0, count)
    }
  }

  func finish() throws {
    guard let path else { return }
    guard fsync(descriptor) == 0, link(temporary, path) == 0 else {
      throw Self.failure("write", path)
    }
    isFinished = true
    unlink(temporary)
  }

  deinit {
    guard path != nil else { return }
    close(descriptor)
    if !isFinished { unlink(temporary) }
  }

  private static func failure(_ attempt: String, _ path: String) -> Failure {
    Failure(description: "cannot \(attempt) \(path): \(String(cString: strerror(errno)))")
  }
}
