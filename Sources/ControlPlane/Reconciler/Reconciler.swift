// The reconciler: while this wharfd leads, it plans from the state as it is, and sends each decision
// as a command that is decided again at the head. Level-triggered: what woke it is never looked at.

import EventLog
import Hosting
import Logging
import Planner
import ServiceLifecycle

package struct Reconciler: Service {
  /// A pass at least this often, though nothing woke it; it must find nothing.
  static let longestRestSeconds = 0.5
  /// At most this many decisions of one pass are on their way at once.
  static let decisionsAtOnce = 256

  let member: LogMember
  let signals: SignalBook
  let makeCommandID: @Sendable () -> CommandID
  let now: @Sendable () -> Timestamp
  let logger: Logger

  package init(
    member: LogMember, signals: SignalBook, makeCommandID: @escaping @Sendable () -> CommandID,
    now: @escaping @Sendable () -> Timestamp, logger: Logger
  ) {
    self.member = member
    self.signals = signals
    self.makeCommandID = makeCommandID
    self.now = now
    self.logger = logger
  }

  package func run() async throws {
    var alarms: [String] = []
    var couldAppend = true
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let head = member.board.current
      guard case .leading(let epoch) = head.standing else {
        signals.clear()
        await member.board.pause(after: head.state.position, upTo: .milliseconds(200))
        continue
      }
      let instant = ContinuousClock.now
      signals.tick(epoch: epoch, at: instant, couldAppend: couldAppend && member.isInTouch)
      let plan = plan(head.state, signals.signals(at: instant), now: now())
      for alarm in plan.alarms where !alarms.contains(alarm) { logger.warning("\(alarm)") }
      alarms = plan.alarms
      couldAppend = await carryOut(plan.decisions, of: head.state.position)
      guard member.board.current.state.position == head.state.position else { continue }
      let due = plan.wakeAt.map { $0.seconds(since: now()) } ?? Self.longestRestSeconds
      let rest = Duration.seconds(max(0.01, min(due, Self.longestRestSeconds)))
      await member.board.pause(after: head.state.position, upTo: rest)
    }
  }

  /// Sends decisions in order, many at once: the writer decides them in the order they come in.
  ///
  /// - Parameter position: what they were planned on, which their events name as what led to them.
  private func carryOut(_ decisions: [any Command], of position: Position) async -> Bool {
    var appended = true
    var rest = decisions[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.decisionsAtOnce)
      rest = rest.dropFirst(some.count)
      await withTaskGroup(of: Bool.self) { group in
        for decision in some {
          let request = CommandRequest(
            id: makeCommandID(), command: decision, principal: .wharfd, causation: position)
          group.addTask {
            do throws(SubmitFailure) {
              _ = try await member.submit(request)
              return true
            } catch {
              switch error {
              case .refused, .idUsedOtherwise, .busy: return true
              case .notLeading, .unavailable, .outOfTouch, .outcomeUnknown: return false
              }
            }
          }
        }
        for await done in group where !done { appended = false }
      }
    }
    return appended
  }
}
