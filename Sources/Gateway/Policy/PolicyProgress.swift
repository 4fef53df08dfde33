// Whether what a control plane says may be believed, held against all that was heard before. Pure.
//
// 1. A head of the same era never goes back, and one position never has two hashes.
// 2. A later era is followed only if it began after everything that was seen: else positions that
//    were acted on now hold other facts.
// 3. A policy never goes back: news are added to the policy that they are news of, and to no other.
// What breaks a rule that honest servers cannot break is an alarm. Nothing doubtful is applied and
// nothing doubtful renews the lease, so the gateway serves on by the last good policy until its lease
// ends. What it saw is kept in a file across its own death; a person makes it forget that with
// `wharf-gateway accept-log`.

import Hosting
import Wire

struct PolicyProgress: Sendable {
  /// Of what position and era the policy is that is held.
  private(set) var held: Held?
  /// The furthest that was seen of the log.
  private(set) var witness: HeadWitness?

  struct Held: Equatable, Sendable {
    let position: Position
    let era: Position
  }

  init(witness: HeadWitness? = nil) { self.witness = witness }

  enum Verdict: Equatable, Sendable {
    /// To be taken in.
    case apply
    /// From a server that knows no less than was seen: the lease is renewed.
    case renew
    /// From a server that knows less.
    case ignore(String)
    case alarm(String)
  }

  var applied: Position? { held?.position }

  /// News that make a policy, by themselves or with what they are to be added to.
  mutating func judge(
    _ offered: PolicyNews, addedTo base: Held?, _ echo: SeenEcho? = nil, asked: HeadWitness? = nil
  ) -> Verdict {
    let verdict = judge(offered.head, echo, asked: asked)
    guard verdict == .renew else { return verdict }
    if let since = offered.since, base != Held(position: since, era: offered.head.era) {
      return .ignore("its news are of what changed since \(since), which is not what is held")
    }
    if let held, held.era == offered.head.era, offered.position < held.position {
      return .ignore("its policy is of \(offered.position), the one held is of \(held.position)")
    }
    held = Held(position: offered.position, era: offered.head.era)
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
