// Where the log ends, for many who ask at once. Each is answered by a look that began after they asked,
// and all who wait meanwhile share the next one: a flood of unknown tokens at a follower costs the database
// one question at a time.

import Hosting

actor SharedLook {
  private let look: @Sendable () async throws -> Position
  private var running: Task<Position, any Error>?
  private var next: Task<Position, any Error>?
  /// Who asked and has no answer yet.
  private(set) var waiting = 0

  init(_ look: @escaping @Sendable () async throws -> Position) { self.look = look }

  func head() async throws -> Position {
    waiting += 1
    defer { waiting -= 1 }
    if let next { return try await next.value }
    let before = running
    let task = Task {
      _ = await before?.result
      begin()
      return try await look()
    }
    next = task
    return try await task.value
  }

  /// The one that waited is under way: whoever asks from here on waits for another.
  private func begin() {
    running = next
    next = nil
  }
}
