// The reconciler: while this wharfd leads, it plans from the state as it is, and sends each decision
// as a command that is decided again at the head. Level-triggered: what woke it is never looked at.
//
// Plan and decision read one clock, the log's, which is published with the head: by two, what is due to
// one is not to the other, and the same decision would be proposed without end.

import EventLog
import Hosting
import Logging
import Planner
import ServiceLifecycle
import Time

package struct Reconciler: Service {
  /// A pass at least this often, though nothing woke it; it must find nothing.
  static let longestRestSeconds = 0.5
  /// At most this many decisions of one pass are on their way at once.
  static let decisionsAtOnce = 256
  /// A pass of which nothing came is tried again at once, for the state had gone on meanwhile. After so
  /// many in a row it rests, whoever appends: it has no reason to be luckier.
  static let fruitlessPassesLimit = 2

  let member: LogMember
  let signals: SignalBook
  let makeCommandID: @Sendable () -> CommandID
  let logger: Logger

  package init(
    member: LogMember, signals: SignalBook, makeCommandID: @escaping @Sendable () -> CommandID,
    logger: Logger
  ) {
    self.member = member
    self.signals = signals
    self.makeCommandID = makeCommandID
    self.logger = logger
  }

  /// What came of the decisions of a pass.
  private struct Outcome {
    var stored = 0
    var couldAppend = true
  }

  package func run() async throws {
    var alarms: [String] = []
    var couldAppend = true
    var fruitlessPasses = 0
    var memory = PlanMemory()
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let head = member.board.current
      guard case .leading(let epoch) = head.standing else {
        signals.clear()
        await member.board.pause(after: head.state.position, upTo: .milliseconds(200))
        continue
      }
      let instant = member.clocks.now
      signals.tick(epoch: epoch, at: instant, couldAppend: couldAppend && member.isInTouch)
      let plan = plan(
        head.state, signals.signals(of: head.state, at: instant), now: head.time(at: instant),
        remembering: &memory)
      for alarm in plan.alarms where !alarms.contains(alarm) { logger.warning("\(alarm)") }
      alarms = plan.alarms
      let outcome = await carryOut(plan.decisions, of: head.state.position)
      couldAppend = outcome.couldAppend
      fruitlessPasses = plan.decisions.isEmpty || outcome.stored > 0 ? 0 : fruitlessPasses + 1
      if fruitlessPasses >= Self.fruitlessPassesLimit {
        await Pause.rest(.seconds(Self.longestRestSeconds), by: member.clocks)
        continue
      }
      let now = member.board.current
      guard now.state.position == head.state.position else { continue }
      let due =
        plan.wakeAt.map { $0.seconds(since: now.time(at: member.clocks.now)) }
        ?? Self.longestRestSeconds
      let rest = Duration.seconds(max(0.01, min(due, Self.longestRestSeconds)))
      await member.board.pause(after: head.state.position, upTo: rest)
    }
  }

  /// Sends decisions, many at once; the writer decides them in their order, since a later one may rest on
  /// an earlier.
  ///
  /// - Parameter position: what they were planned on, which their events name as what led to them.
  private func carryOut(_ decisions: [any Command], of position: Position) async -> Outcome {
    var outcome = Outcome()
    var rest = decisions[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.decisionsAtOnce)
      rest = rest.dropFirst(some.count)
      let answers = await member.submit(
        inOrder: some.map { decision in
          CommandRequest(
            id: makeCommandID(), command: decision, principal: .wharfd, causation: position)
        })
      for answer in answers {
        switch answer {
        case .success: outcome.stored += 1
        case .failure(.refused), .failure(.changesNothing), .failure(.idUsedOtherwise),
          .failure(.busy):
          break
        case .failure(.notLeading), .failure(.unavailable), .failure(.outOfTouch),
          .failure(.outcomeUnknown):
          outcome.couldAppend = false
        }
      }
    }
    return outcome
  }
}
