// Waiting for the word to end: SIGTERM or SIGINT. A broken pipe is no such word.

import Dispatch
import Glibc

package enum ShutdownSignal {
  /// Runs `body` until it returns or the program is told to end, which cancels it.
  package static func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    signal(SIGPIPE, SIG_IGN)
    let task = Task { try await body() }
    let sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { task.cancel() }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    do { try await task.value } catch is CancellationError {}
  }
}
