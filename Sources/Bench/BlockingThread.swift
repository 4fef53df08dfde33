// A thread for work that blocks: the cooperative ones are as few as the machine's cores.

import Postgres

actor BlockingThread {
  private let lane: Lane

  init(_ name: String) throws { lane = try Lane(name: name) }

  nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

  func run<Result: Sendable>(_ body: @Sendable () throws -> Result) throws -> Result {
    try body()
  }
}
