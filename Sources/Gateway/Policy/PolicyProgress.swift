// Whether what a control plane says may be believed, held against all that was heard before. Pure.
//
// 1. A head of the same era never goes back, and one position never has two hashes.
// 2. A later era is followed only if it began after everything that was seen: else positions that
//    were acted on now hold other facts.
// 3. A policy never goes back, and one position never has two policies.
// What breaks a rule that honest servers cannot break is an alarm. Nothing doubtful is applied and
// nothing doubtful renews the lease, so the gateway serves on by the last good policy until its lease
// ends. What it saw is kept in a file across its own death; a person makes it forget that with
// `wharf-gateway accept-log`.

import Hosting
import Wire

struct PolicyProgress: Sendable {
  private(set) var policy: Policy?
  /// The furthest that was seen of the log.
  private(set) var witness: HeadWitness?

  init(witness: HeadWitness? = nil) { self.witness = witness }

  enum Verdict: Equatable, Sendable {
    /// Newer than what is held.
    case apply
    /// Nothing new, from a server that knows no less than was seen: the lease is renewed.
    case renew
    /// From a server that knows less.
    case ignore(String)
    case alarm(String)
  }

  var applied: Position? { policy?.position }

  /// The right to serve by it is over: the next one counts as new, also where it is the same.
  mutating func dropPolicy() { policy = nil }

  mutating func judge(
    _ offered: Policy, _ echo: SeenEcho? = nil, asked: HeadWitness? = nil
  ) -> Verdict {
    let verdict = judge(offered.head, echo, asked: asked)
    guard verdict == .renew else { return verdict }
    guard let held = policy else {
      policy = offered
      return .apply
    }
    if offered.position < held.position {
      return .ignore("its policy is of \(offered.position), the one held is of \(held.position)")
    }
    if offered.position == held.position {
      return held.hasContent(of: offered)
        ? .renew : .alarm("there are two policies of position \(held.position)")
    }
    policy = offered
    return .apply
  }

  /// - Parameters:
  ///   - echo: what the log holds at the position that was seen last.
  ///   - asked: what was seen when the answer was asked for. Answers of two requests may come in another
  ///     order than they were made in: one that knows no less than was seen then is none that is behind.
  mutating func judge(
    _ head: HeadWitness, _ echo: SeenEcho? = nil, asked: HeadWitness? = nil
  ) -> Verdict {
    if let asked, let seen = witness, head.era == seen.era, asked.era == seen.era,
      asked.position <= head.position, head.position < seen.position,
      asked.position < head.position || asked.hash == head.hash
    {
      return .renew
    }
    if let seen = witness {
      if let contradiction = seen.contradiction(in: head, echo) {
        return .alarm("the log was rewritten: \(contradiction)")
      }
      if head.era < seen.era {
        return .ignore("it is of the era of \(head.era), this gateway has seen that of \(seen.era)")
      }
      if head.era == seen.era, head.position < seen.position {
        return .ignore("it is at \(head.position), this gateway has seen \(seen.position)")
      }
      if head.era == seen.era, head.position == seen.position, head.hash != seen.hash {
        return .alarm("position \(head.position) has two hashes: the log was rewritten")
      }
      if head.era > seen.era, head.era <= seen.position {
        return .alarm(
          "the era of \(head.era) began before position \(seen.position), which was seen in the era "
            + "of \(seen.era): once the recovery is known to be right, stop this gateway, say "
            + "'wharf-gateway accept-log', and start it again")
      }
    }
    witness = head
    return .renew
  }
}
