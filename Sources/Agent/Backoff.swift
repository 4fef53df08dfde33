// How long an agent waits before it asks the control plane again.

import Machine

extension Backoff {
  static let asking = Backoff(firstMilliseconds: 200, longestMilliseconds: 10_000)
}
