// A trial: commands decided one after another, each on the state that those before it lead to. The batch
// that is appended, the plan, what would help and a dry run all go on by this, so none of them can take for
// done what another would refuse.

package struct Trial: Sendable {
  /// At most this many events come of one command, so that its events are found by its first.
  package static let eventsPerCommandLimit = 1_024

  /// What one command led to.
  package struct Step: Sendable {
    package let events: [NewEvent]
    /// Where the first of them stands.
    package let first: Position
    package let recordedAt: Timestamp
    package let actor: Actor

    package func fact(of index: Int) -> Fact {
      Fact(
        position: first + index, stream: events[index].stream, recordedAt: recordedAt, actor: actor)
    }
  }

  /// The state before the first command.
  package let base: HostingState
  /// The state after those that were done.
  package private(set) var state: HostingState
  /// Those that led to events.
  private var steps: [Step] = []

  package init(after state: HostingState) {
    base = state
    self.state = state
  }

  /// Decides a command and goes on behind it. A command that is refused leaves the trial as it was.
  ///
  /// - Parameters:
  ///   - now: judged by, and recorded with, unless the state is ahead of it.
  ///   - notes: a command that changes nothing is noted, as people are told where in the log their wish was
  ///     found to be so already.
  @discardableResult
  package mutating func perform(
    _ command: any Command, by principal: Principal, now: Timestamp,
    unchangedSince: Position? = nil, notes: Bool = false
  ) throws(Refusal) -> Step {
    let now = max(now, state.recordedAt)
    let type = type(of: command)
    var events = try state.decide(command, by: principal, now: now, unchangedSince: unchangedSince)
    if events.isEmpty, notes {
      events = [NewEvent(stream: .log, body: CommandNoted(command: type.type))]
    }
    let step = Step(
      events: events, first: state.position.next, recordedAt: now, actor: principal.actor)
    if events.isEmpty { return step }
    guard events.count <= Self.eventsPerCommandLimit else {
      throw Refusal(
        "tooManyEvents",
        "\(CommandWords.told(type)) would lead to \(events.count) events, more than the "
          + "\(Self.eventsPerCommandLimit) of one command",
        help: "send it in parts")
    }
    do { try goOn(behind: step) } catch {
      // A fault of ours in `decide`: nothing of this command is done, others go on.
      takeBack()
      throw Refusal(
        "contradiction",
        "\(CommandWords.told(type)) led to an event that does not fit: \(error)",
        help: "report this as a fault of Wharf")
    }
    steps.append(step)
    return step
  }

  private mutating func goOn(behind step: Step) throws(Contradiction) {
    for index in step.events.indices {
      try state.evolve(step.events[index].body, step.fact(of: index))
    }
  }

  /// Folds anew what was done. A state kept beside for this would cost every command a copy of what it
  /// changes.
  private mutating func takeBack() {
    state = base
    for step in steps {
      do { try goOn(behind: step) } catch {
        preconditionFailure("what was folded folds again: \(error)")
      }
    }
  }
}
