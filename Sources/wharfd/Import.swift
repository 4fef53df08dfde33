// `wharfd import`: an export into an empty database.

import ArgumentParser
import ControlPlane
import EventLog
import Foundation
import Hosting
import Postgres

struct Import: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Read what 'wharfd export' wrote into an empty database.",
    discussion: """
      Every line is checked: its form, its position, its hash. Killed, run it again with the same \
      file: it goes on where it stopped. The log that comes of it is the same to the byte, and no \
      wharfd leads it before you begin a new era there: wharfd recover.

      Without --keys everyone in it is (forgotten). With them, the new system needs the cluster secret of \
      the old one.

      Example: wharfd import log.ndjson
      """)

  @Argument(help: "The file; - for stdin.") var file: String
  @Option(help: "The file of keys that wharfd export --keys made.") var keys: String?
  @OptionGroup var database: DatabaseOption

  func run() throws {
    let configuration = try Daemon.database(database.database)
    let progress = Progress("imported")
    do {
      let lines = try LineReader(file)
      _ = try Migrator.migrate(configuration)
      var connection = try Connection(configuration, timeout: .seconds(10))
      let done = try LogImport.run(&connection) {
        progress.show($0, of: nil)
      } next: {
        try lines.next()
      }
      let keyLines = try keys.map { try LineReader($0) }
      let taken = try KeyTransfer.load(&connection, of: done, next: keyLines.map { $0.next })
      progress.end()
      let told =
        keys == nil
        ? "No keys came with it: names, e-mail and reasons are (forgotten)."
        : "The keys of \(taken) persons came with it."
      let before = done.known > 0 ? "; \(done.known) were there already" : ""
      print(
        """
        Imported \(done.imported) events\(before). The log is whole: positions 1 to \(done.head), \
        head \(done.hash).
        It was written into another database, in the era of position \(done.era): no wharfd leads \
        it here before you begin a new era with: wharfd recover
        \(told)
        """)
    } catch {
      progress.end()
      print("The log was not imported: \(error).")
      throw ExitCode.failure
    }
  }
}

/// Lines of a file or of stdin, as bytes, one at a time.
private final class LineReader {
  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private static let chunkBytes = 1 << 20

  private let path: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  private var lines = 0
  private var isAtEnd = false

  init(_ path: String) throws {
    self.path = path
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Failure(description: "cannot read \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { if path != "-" { close(descriptor) } }

  func next() throws -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        lines += 1
        return Array(buffer[start..<end])
      }
      let pending = buffer.count - start
      if isAtEnd {
        guard pending > 0 else { return nil }
        throw Failure(
          description:
            "line \(lines + 1): it is cut off: the file is not whole; the lines before it "
            + "are checked, and the next import of the whole file goes on behind them")
      }
      guard pending <= LogImport.longestLineBytes else {
        throw Failure(
          description: "line \(lines + 1): it is longer than \(LogImport.longestLineBytes) bytes")
      }
      buffer.removeFirst(start)
      start = 0
      searched = pending
      try fill()
    }
  }

  private func fill() throws {
    var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
    let count = read(descriptor, &chunk, chunk.count)
    if count < 0, errno != EINTR {
      throw Failure(description: "cannot read \(path): \(String(cString: strerror(errno)))")
    }
    if count == 0 { isAtEnd = true }
    buffer += chunk[..<max(0, count)]
  }
}
