// The engine behind the routes: its state, its places, its counters, its end.

import Foundation
import Glibc
import HTTPTypes
import Synchronization

final class Engine: Sendable {
  let options: Options
  let identity: EngineIdentity
  let key: String?
  let log: EngineLog
  let writer: Writer
  let embedder: Embedder
  let admission: Admission
  let counters = Mutex(Counters())
  let startedAtSeconds = microsecondsSince1970() / 1_000_000
  private let state: Mutex<EngineState>

  init(options: Options, identity: EngineIdentity, key: String?, log: EngineLog) {
    self.options = options
    self.identity = identity
    self.key = key
    self.log = log
    writer = Writer(seed: options.serving.seed, replyTokens: options.serving.replyTokens)
    embedder = Embedder(
      dimensions: options.serving.embeddingDimensions,
      seed: stableHash(options.serving.modelNames[0], seed: options.serving.seed))
    admission = Admission(
      maxRunning: options.limits.maxConcurrent, maxWaiting: options.limits.maxQueued)
    state = Mutex(
      EngineState(
        crashAfterRequests: options.failures.crashAfterRequests,
        hangAfterRequests: options.failures.hangAfterRequests,
        muteAfterRequests: options.failures.muteAfterRequests))
  }

  var phase: EngineState.Phase { state.withLock { $0.phase } }

  func becomeReady(port: Int?) throws(StartError) {
    state.withLock { $0.loaded() }
    try log.record(.ready, serving: options.serving, port: port)
  }

  /// Lets an inference request in: to a place, after its turn.
  /// - Throws: `APIError` when it is refused, `CancellationError` when its client went away.
  func admit() async throws -> Place {
    if let refusal = options.failures.refusal {
      counters.withLock { $0.refused += 1 }
      throw refusal
    }
    switch state.withLock({ $0.arrive() }) {
    case .notReady: throw APIError.loading
    case .hang, .ignore: try await answerNever()
    case .crash: crash()
    case .serve(let isFirst): if isFirst { try log.record(.serving) }
    }
    guard let place = try await admission.enter() else {
      counters.withLock { $0.refused += 1 }
      let status = HTTPResponse.Status(code: options.limits.overloadStatus)
      throw APIError.overloaded(status: status)
    }
    return place
  }

  /// Waits until the process ends.
  func answerNever() async throws -> Never {
    while true { try await Task.sleep(for: .seconds(3600)) }
  }

  /// Ends at once by SIGABRT, as an engine does whose native code fails; without a core file.
  func crash() -> Never {
    var limit = rlimit()
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    // Without this the Swift runtime catches the signal and spends seconds on a backtrace.
    signal(SIGABRT, SIG_DFL)
    abort()
  }

  /// Ends in good order; the log line is the last thing done.
  func exit(code: Int32) -> Never {
    let requests = state.withLock { $0.requests }
    do {
      try log.record(.stop, exitCode: code, requests: requests)
    } catch {
      say("\(error)", to: STDERR_FILENO)
    }
    Glibc.exit(code)
  }
}

/// A line of output, written at once: whoever started the engine reads it through a pipe.
func say(_ line: String, to descriptor: Int32 = STDOUT_FILENO) {
  let bytes = Array((line + "\n").utf8)
  _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
}
