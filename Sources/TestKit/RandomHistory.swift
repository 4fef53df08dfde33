// A history of random commands, from a seed: its facts, and the state after them.

import Hosting

package struct RandomHistory: Sendable {
  package private(set) var world: World
  private var commands: RandomCommands
  private var random: SplitMix64

  /// Begins with a leader and an admin, as every log does.
  package init(seed: UInt64) throws {
    world = World(formatLevel: FormatLevel.first)
    commands = RandomCommands(seed: seed)
    random = SplitMix64(seed: seed)
    try world.perform(
      TakeLeadership(
        instance: "wharfd-\(seed)", address: "http://10.0.0.\(seed % 250):7400",
        database: DatabaseIdentity(
          systemIdentifier: "\(7_331 + seed)", timeline: Int(seed % 3) + 1,
          database: Int64(16_384 + seed), table: Int64(16_390 + seed)),
        formatLevel: seed % 2 == 0 ? FormatLevel.current : FormatLevel.first), by: .wharfd)
    if seed % 2 == 0 {
      try world.perform(
        AdmitFirstAdmin(name: "admin", token: world.newSecret(), prefix: "whp_first"), by: .wharfd)
    } else {
      try beginAsOfOld()
    }
  }

  /// As a log that was begun before personal data was sealed, and has been raised since.
  private mutating func beginAsOfOld() throws {
    let admin = Stream(.person, world.state.position.next)
    let (invitation, token) = (world.newSecret(), world.newSecret())
    try world.happen(
      PersonInvited(name: .known("admin"), role: .admin, invitation: invitation, until: world.now),
      on: admin)
    try world.happen(PersonTokenIssued(token: token, prefix: "whp_first"), on: admin)
    try world.perform(
      RaiseFormatLevel(level: FormatLevel.current, readers: []), by: .wharfd)
  }

  /// Sends commands until there are so many events in all; some are refused.
  package mutating func grow(to count: Int) throws {
    while world.log.count < count {
      world.pass(seconds: Int64.random(in: 0...600, using: &random))
      let wish = commands.next(world.state)
      do {
        try world.perform(wish.command, by: wish.principal)
      } catch is Refusal {
        continue
      }
    }
  }

  /// The state after so many events, folded from the start.
  package func state(after count: Int) throws -> HostingState {
    var state = HostingState()
    for recorded in world.log.prefix(count) { try state.evolve(recorded.event, recorded.fact) }
    return state
  }

  /// What a test adds of its own among the random commands.
  package mutating func add(_ change: (inout World) throws -> Void) rethrows {
    try change(&world)
  }
}
