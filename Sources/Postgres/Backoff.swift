// How long to wait before connecting again.

import Machine

extension Backoff {
  static let connecting = Backoff(firstMilliseconds: 25, longestMilliseconds: 2_000)
}
