// A connection of libpq with one owner. It cannot be copied, and closes itself once.

import CLibPQ
import Glibc

struct Handle: ~Copyable {
  let raw: OpaquePointer
  let notices = ServerNotices()

  private init(owning raw: OpaquePointer) { self.raw = raw }

  /// Sends a goodbye if the socket takes it, and never waits for it.
  deinit { PQfinish(raw) }

  /// Connects without blocking in libpq, but for the look-up of the host's name.
  static func connect(
    _ configuration: PostgresConfiguration, timeout: Duration, wake: WakeDescriptor,
    token: CancelToken?
  ) throws(PostgresError) -> Handle {
    let attempted = "connect to \(configuration)"
    guard let raw = start(configuration) else {
      throw PostgresError(.resourceExhausted, "libpq has no memory", attempted: attempted)
    }
    let handle = Handle(owning: raw)
    let deadline = ContinuousClock.now + timeout
    // libpq asks to be treated as if it had last wanted to write.
    var wantsToWrite = true
    while PQstatus(raw) != CONNECTION_BAD {
      let outcome = Waiting.wait(
        socket: PQsocket(raw), forWriting: wantsToWrite, forReading: !wantsToWrite,
        wakes: (wake, nil), until: deadline)
      if outcome.isWoken { wake.drain() }
      if let token, token.isCancelled {
        throw PostgresError(.cancelled, "while connecting", attempted: attempted)
      }
      if outcome.isTimedOut {
        throw PostgresError(
          .connectionFailed, "the server did not answer within \(timeout)", attempted: attempted)
      }
      guard outcome.isReadable || outcome.isWritable else { continue }
      switch PQconnectPoll(raw) {
      case PGRES_POLLING_OK:
        handle.prepareForUse()
        return handle
      case PGRES_POLLING_READING: wantsToWrite = false
      case PGRES_POLLING_WRITING: wantsToWrite = true
      default: break
      }
    }
    throw PostgresError(.connectionFailed, handle.errorMessage, attempted: attempted)
  }

  private static func start(_ configuration: PostgresConfiguration) -> OpaquePointer? {
    let pairs = configuration.keywordValues
    let keywords = pairs.map { strdup($0.0) } + [nil]
    let values = pairs.map { strdup($0.1) } + [nil]
    defer { for pointer in keywords + values { free(pointer) } }
    return PQconnectStartParams(
      keywords.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 0)
  }

  private func prepareForUse() {
    let status = PQsetnonblocking(raw, 1)
    precondition(status == 0, "nothing is waiting to be sent on a fresh connection")
    notices.listen(to: raw)
  }

  /// libpq's words for the last failure, on one line.
  var errorMessage: String {
    let text = String(cString: PQerrorMessage(raw))
    let lines = text.split(whereSeparator: \.isNewline).map { line in
      String(line.drop(while: \.isWhitespace))
    }
    return lines.isEmpty ? "libpq gave no reason" : lines.joined(separator: "; ")
  }

  /// The same for a connection that broke: the first line, as the rest is libpq's guesses.
  var lossMessage: String {
    errorMessage.prefix { $0 != ";" }.description
  }
}
