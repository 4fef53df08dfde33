// Signals: those we send, and waiting for those sent to us.

import Dispatch
import Glibc

enum Signal: Hashable, Sendable {
  case terminate, interrupt, quit, kill

  var number: Int32 {
    switch self {
    case .terminate: SIGTERM
    case .interrupt: SIGINT
    case .quit: SIGQUIT
    case .kill: SIGKILL
    }
  }
}

/// What a supervisor is told by signal.
enum Word: Hashable, Sendable {
  /// Stop everything, engines too: Ctrl-C, SIGTERM.
  case stop
  /// End, and leave everything as it runs: SIGUSR1, from a `wharf down` that takes over.
  case letGo
}

/// Takes the signals over for the rest of this process's life.
final class Words: Sendable {
  static let letGoSignal = SIGUSR1
  private static let mostWaiting = 4

  let stream: AsyncStream<Word>
  private let sources: Sources

  private struct Sources: @unchecked Sendable {
    let all: [any DispatchSourceSignal]
  }

  /// - Parameter hasTerminal: whether it should end with the terminal it was started from.
  init(hasTerminal: Bool) {
    let (stream, continuation) = AsyncStream.makeStream(
      of: Word.self, bufferingPolicy: .bufferingOldest(Self.mostWaiting))
    self.stream = stream
    var words: [(Int32, Word)] = [
      (SIGINT, .stop), (SIGTERM, .stop), (Self.letGoSignal, .letGo),
    ]
    if hasTerminal { words.append((SIGHUP, .stop)) }
    for ignored in [SIGPIPE, SIGHUP] { signal(ignored, SIG_IGN) }
    sources = Sources(
      all: words.map { number, word in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler { continuation.yield(word) }
        source.activate()
        return source
      })
  }

  /// The next one; `letGo` once nobody can send any more.
  func next() async -> Word? {
    for await word in stream { return word }
    return nil
  }
}
