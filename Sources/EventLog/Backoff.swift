// How long members, readers and projectors of the log wait before they try again.

import Machine

extension Backoff {
  package static let betweenTries = Backoff(firstMilliseconds: 50, longestMilliseconds: 2_000)
}
