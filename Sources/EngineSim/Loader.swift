// From start to ready, and the failures that come with time.

import Hosting
import NIOCore
import ServiceLifecycle
import Synchronization

/// Runs beside the server. Loading is counted from the start of the process, but ready comes only
/// once the server listens.
struct Loader: Service {
  let engine: Engine
  let listening: Listening

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await load() }
    } catch is CancellationError {
      // Stopped, which is no failure. A hung engine finishes no reply however long it is given.
      if engine.phase == .hung { engine.exit(code: 0) }
    }
  }

  private func load() async throws {
    let failures = engine.options.failures
    let port = try await listening.port()
    say("listening on \(engine.options.serving.host):\(port)")
    try await Task.sleep(for: engine.options.pace.load.duration)
    if let code = failures.failAtLoad {
      say("loading failed, as --fail-at-load asks", to: 2)
      engine.exit(code: Int32(code))
    }
    if failures.outOfMemoryAtLoad {
      say("torch.OutOfMemoryError: CUDA out of memory. \(memoryWanted)", to: 2)
      engine.exit(code: 1)
    }
    if !failures.neverReady {
      try engine.becomeReady(port: port)
      say("ready: \(engine.options.serving.modelNames.joined(separator: ", "))")
      if let wait = failures.crashAfter {
        try await Task.sleep(for: wait.duration)
        engine.crash()
      }
    }
    while true { try await Task.sleep(for: .seconds(3600)) }
  }

  private var memoryWanted: String {
    "Tried to allocate \(engine.options.serving.deviceMemory?.description ?? "more than there is") on each device."
  }
}

/// Told by the server once it listens.
struct Listening: Sendable {
  private let stream: AsyncStream<Int>
  private let continuation: AsyncStream<Int>.Continuation

  init() {
    (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
  }

  func begin(on channel: any Channel) {
    continuation.yield(channel.localAddress?.port ?? 0)
    continuation.finish()
  }

  /// Waits for the port it listens on.
  func port() async throws -> Int {
    for await port in stream { return port }
    throw CancellationError()
  }
}
