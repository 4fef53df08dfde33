// The plan: everything that is to be decided now, in order. Pure and complete: the same state,
// signals and moment give the same plan, and once its decisions are committed nothing is left.
//
// Each decision is a command that the leader decides again at the head. The planner decides it too, as a
// trial, and goes on from there: so a later step sees what an earlier one does, and a decision that would
// change nothing is never proposed.
//
//   liveness → gateways → dates → what may not run → restarts → surplus → what gateways left → placement
//   → reasons for what still waits

import Hosting

package struct Plan: Sendable {
  /// In the order in which they are to be committed.
  package var decisions: [any Command] = []
  /// The next moment at which something becomes due without any event.
  package var wakeAt: Timestamp?
  /// For people: what is held back, and why.
  package var alarms: [String] = []

  package init() {}
}

/// What is to be decided now.
package func plan(_ state: HostingState, _ signals: Signals, now: Timestamp) -> Plan {
  var memory = PlanMemory()
  return plan(state, signals, now: now, remembering: &memory)
}

/// The same, by what was remembered of an earlier state of the same log; it is the same plan.
package func plan(
  _ state: HostingState, _ signals: Signals, now: Timestamp, remembering memory: inout PlanMemory
) -> Plan {
  var pass = Pass(
    state: state, signals: signals, now: max(now, state.recordedAt), memory: memory.take())
  defer { memory = pass.memory }
  pass.judgeLiveness()
  pass.noteSilentGateways()
  pass.noteDates()
  pass.stopWhatMayNotRun()
  pass.restartLostSecret()
  pass.restartUnanswering()
  pass.removeSurplus()
  pass.dismissLeft()
  pass.place()
  return pass.plan
}

/// One pass of the planner: the state as it will be once the decisions so far are committed.
struct Pass {
  private var trial: Trial
  let signals: Signals
  let now: Timestamp
  fileprivate var memory: PlanMemory
  private(set) var plan = Plan()

  init(state: HostingState, signals: Signals, now: Timestamp, memory: PlanMemory) {
    trial = Trial(after: state)
    self.signals = signals
    self.now = now
    self.memory = memory
  }

  var state: HostingState { trial.state }

  mutating func decide(_ command: any Command) {
    do {
      let step = try trial.perform(command, by: .wharfd, now: now)
      if !step.events.isEmpty { plan.decisions.append(command) }
    } catch {
      // A fault of ours, and no reason to stop planning for everybody else.
      alarm("the planner cannot decide \(type(of: command).type): \(error)")
    }
  }

  mutating func wake(at moment: Timestamp) {
    guard moment > now else { return }
    plan.wakeAt = plan.wakeAt.map { min($0, moment) } ?? moment
  }

  /// The open nodes as the decisions so far leave them.
  mutating func nodePool() -> NodePool {
    var pool = memory.pool(of: trial.base, now: now)
    pool.update(trial.state.changedNodes(since: trial.base), in: trial.state, now: now)
    return pool
  }

  mutating func alarm(_ text: String) { plan.alarms.append(text) }
}
