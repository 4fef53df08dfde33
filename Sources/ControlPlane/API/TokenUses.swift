// When each person's token was last presented here: a signal, kept in memory and nowhere else. It is this
// wharfd's own knowledge, since it started; another one has its own.

import Hosting
import Synchronization

final class TokenUses: Sendable {
  /// So many are remembered; of the others it is not known.
  static let rememberedLimit = 10_000

  /// From when on it was watched.
  let since: Timestamp
  private let times = Mutex<[Digest: Timestamp]>([:])

  init(since: Timestamp) { self.since = since }

  func note(_ principal: Principal, at moment: Timestamp) {
    guard let token = principal.credential else { return }
    switch principal.role {
    case .admin, .operator, .viewer: break
    case .agent, .gateway, .invited, .joining, .system: return
    }
    times.withLock { times in
      guard times[token] != nil || times.count < Self.rememberedLimit else { return }
      times[token] = moment
    }
  }

  func last(of token: Digest) -> Timestamp? { times.withLock { $0[token] } }
}
