// What a gateway may use of limits that hold over all gateways together, as it goes over HTTP beside its
// lease. How shares are handed out, and why no more than the limit is let through, stands in
// Hosting/LEASES.md.

import Hosting

/// A limit of a team, over all its models or for one of them.
package struct LimitID: Codable, Hashable, Comparable, Sendable {
  package enum Kind: String, CaseIterable, Hashable, Sendable, JSONCoded {
    case requests
    case tokens
  }

  package var team: Stream
  /// None for the team over all models.
  package var model: Stream?
  package var kind: Kind

  package init(team: Stream, model: Stream?, kind: Kind) {
    self.team = team
    self.model = model
    self.kind = kind
  }

  private var order: (Position, Position, String) {
    (team.origin, model?.origin ?? .empty, kind.rawValue)
  }
  package static func < (a: Self, b: Self) -> Bool { a.order < b.order }
}

/// A part of a limit: so many of how many. Where the limit changes, the part stays the same part of it.
package struct Share: Codable, Equatable, Sendable {
  package var units: Int
  package var of: Int

  /// What a base is counted in: it can be halved, and divided by 3 to 16, without a rest.
  package static let whole = 720_720
  /// What was let through counts for so long: for 60 s, by the second in which it was.
  package static let windowSeconds = 61

  package init(units: Int, of: Int) {
    self.units = units
    self.of = of
  }

  /// A part of every limit.
  package static func base(_ units: Int) -> Share { Share(units: units, of: whole) }

  package var isPart: Bool { units >= 0 && of > 0 && units <= of }

  /// So many of a limit; never more than its part.
  package func part(of limit: Int) -> Int {
    guard isPart, limit > 0 else { return 0 }
    return of.dividingFullWidth(limit.multipliedFullWidth(by: units)).quotient
  }
}

/// What a process holds of limits when it asks for its lease, what it used of them in the last minute, and
/// what it could use. Made anew for each call; of a call that was given up nothing is taken any more.
package struct ShareReport: Codable, Equatable, Sendable {
  /// Counts the calls of the process.
  package var round: Int
  /// Of the leader whose word it holds.
  package var epoch: Position
  /// Its part of every limit that is not named, in units of `Share.whole`.
  package var base: Int
  /// What was used lately, and what it holds a part of its own of.
  package var items: [Item]

  /// The others of more than that are within the base, and need not be told.
  package static let itemsLimit = 4_096

  package struct Item: Codable, Equatable, Sendable {
    package var limit: LimitID
    /// In the last minute; what requests under way may take counts as used.
    package var used: Int
    package var wanted: Int
    package var share: Share?
    /// What was used beyond it and is to be paid by the minutes that follow; none where nothing is.
    package var owed: Int?

    package init(limit: LimitID, used: Int, wanted: Int, share: Share?, owed: Int? = nil) {
      self.limit = limit
      self.used = used
      self.wanted = wanted
      self.share = share
      self.owed = owed
    }
  }

  package init(round: Int, epoch: Position, base: Int, items: [Item]) {
    self.round = round
    self.epoch = epoch
    self.base = base
    self.items = items
  }

  package var isWellFormed: Bool {
    round > 0 && (0...Share.whole).contains(base) && items.count <= Self.itemsLimit
      && items.allSatisfy {
        $0.used >= 0 && $0.wanted >= 0 && $0.owed ?? 0 >= 0 && $0.share?.isPart ?? true
      }
  }
}

/// What a process holds from now on, all of it.
package struct ShareAnswer: Codable, Equatable, Sendable {
  /// Of the call that it answers.
  package var round: Int
  package var epoch: Position
  /// None: what it holds stays as it is.
  package var base: Int?
  /// Where it is another part than the base.
  package var shares: [Item]

  package struct Item: Codable, Equatable, Sendable {
    package var limit: LimitID
    package var share: Share

    package init(limit: LimitID, share: Share) {
      self.limit = limit
      self.share = share
    }
  }

  package init(round: Int, epoch: Position, base: Int?, shares: [Item] = []) {
    self.round = round
    self.epoch = epoch
    self.base = base
    self.shares = shares
  }
}
