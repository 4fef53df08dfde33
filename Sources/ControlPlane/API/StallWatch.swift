// Notices a reader that takes nothing any more: a write to it that is under way for longer than a limit.

import Synchronization
import Time

final class StallWatch: Sendable {
  private static let lookInterval = Duration.milliseconds(500)

  private let clocks: Clocks
  private let writingSince = Mutex<Clocks.Instant?>(nil)

  init(clocks: Clocks) { self.clocks = clocks }

  func begins() { writingSince.withLock { $0 = clocks.now } }
  func ends() { writingSince.withLock { $0 = nil } }

  /// Looks until it is cancelled, or has acted.
  func watch(limit: Duration, onStall: @escaping @Sendable () -> Void) -> Task<Void, Never> {
    Task { [self] in
      while !Task.isCancelled {
        if let since = writingSince.withLock({ $0 }), clocks.now - since >= limit {
          return onStall()
        }
        try? await clocks.sleep(for: Self.lookInterval)
      }
    }
  }
}
