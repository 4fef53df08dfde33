// Specifications of deciders: given what happened, when a command comes, then these events, or a
// refusal of this code.
//
//     given(RegisterProvider(name: "xai"))
//       .when(SuspendProvider(provider: "xai"))
//       .then(ProviderSuspended())

import Hosting
import Testing

/// What happened before. Each command must be accepted.
package func given(
  _ commands: any Command..., by principal: Principal = .testAdmin,
  sourceLocation: SourceLocation = #_sourceLocation
) -> Given {
  Given().and(commands, by: principal, sourceLocation: sourceLocation)
}

package struct Given: Sendable {
  package private(set) var world = World()

  package init(_ world: World = World()) { self.world = world }

  /// More commands that were accepted.
  package func and(
    _ commands: any Command..., by principal: Principal = .testAdmin,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> Given {
    and(commands, by: principal, sourceLocation: sourceLocation)
  }

  package func and(
    _ commands: [any Command], by principal: Principal = .testAdmin,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> Given {
    changed(sourceLocation) { world in
      for command in commands { try world.perform(command, by: principal) }
    }
  }

  /// Facts that no command here led to.
  package func happened(
    _ events: any Event..., on stream: Stream, sourceLocation: SourceLocation = #_sourceLocation
  ) -> Given {
    changed(sourceLocation) { world in
      for event in events { try world.happen(event, on: stream) }
    }
  }

  package func passed(seconds: Int64 = 0, days: Int = 0) -> Given {
    var next = self
    next.world.now = world.now.adding(days: days).adding(seconds: seconds)
    return next
  }

  package func with(
    sourceLocation: SourceLocation = #_sourceLocation, _ change: (inout World) throws -> Void
  ) -> Given { changed(sourceLocation, change) }

  private func changed(
    _ sourceLocation: SourceLocation, _ change: (inout World) throws -> Void
  ) -> Given {
    var next = self
    do { try change(&next.world) } catch {
      Issue.record("what was given did not happen: \(error)", sourceLocation: sourceLocation)
    }
    return next
  }

  package func when(_ command: any Command, by principal: Principal = .testAdmin) -> When {
    let result = Result<[NewEvent], Refusal> { () throws(Refusal) in
      try world.state.decide(command, by: principal, now: world.now)
    }
    return When(before: world, command: command, principal: principal, result: result)
  }
}

/// What a command led to.
package struct When: Sendable {
  package let before: World
  package let command: any Command
  package let principal: Principal
  package let result: Result<[NewEvent], Refusal>

  /// These events, and no others; and that they fold. Gives the world after them.
  @discardableResult
  package func then(
    _ expected: any Event..., sourceLocation: SourceLocation = #_sourceLocation
  ) -> Given {
    switch result {
    case .failure(let refusal):
      Issue.record("refused: \(refusal.code): \(refusal)", sourceLocation: sourceLocation)
      return Given(before)
    case .success(let events):
      let found = events.map { Self.text($0.body) }
      #expect(found == expected.map(Self.text), sourceLocation: sourceLocation)
      return Given(before).and([command], by: principal, sourceLocation: sourceLocation)
    }
  }

  /// Nothing is to change. Gives the same world.
  @discardableResult
  package func thenNothing(sourceLocation: SourceLocation = #_sourceLocation) -> Given {
    then(sourceLocation: sourceLocation)
  }

  /// A refusal of this code, whose words hold `words`.
  @discardableResult
  package func thenRefused(
    _ code: String, saying words: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) -> Given {
    switch result {
    case .success(let events):
      Issue.record(
        "accepted: \(events.map { Self.text($0.body) })", sourceLocation: sourceLocation)
    case .failure(let refusal):
      #expect(refusal.code == code, "\(refusal)", sourceLocation: sourceLocation)
      if !words.isEmpty {
        #expect(refusal.description.contains(words), "\(refusal)", sourceLocation: sourceLocation)
      }
    }
    return Given(before)
  }

  private static func text(_ event: any Event) -> String {
    "\(type(of: event).type) \(String(decoding: event.jsonBytes, as: UTF8.self))"
  }
}
