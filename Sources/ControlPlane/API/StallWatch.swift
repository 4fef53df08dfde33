// Notices a reader that takes nothing any more: a write to it that is under way for longer than a limit.

import Synchronization

final class StallWatch: Sendable {
  private static let lookInterval = Duration.milliseconds(500)

  private let writingSince = Mutex<ContinuousClock.Instant?>(nil)

  func begins() { writingSince.withLock { $0 = .now } }
  func ends() { writingSince.withLock { $0 = nil } }

  /// Looks until it is cancelled, or has acted.
  func watch(limit: Duration, onStall: @escaping @Sendable () -> Void) -> Task<Void, Never> {
    Task { [self] in
      while !Task.isCancelled {
        if let since = writingSince.withLock({ $0 }), .now - since >= limit { return onStall() }
        try? await Task.sleep(for: Self.lookInterval)
      }
    }
  }
}
