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
  var pass = Pass(state: state, signals: signals, now: max(now, state.recordedAt))
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
  private(set) var plan = Plan()

  init(state: HostingState, signals: Signals, now: Timestamp) {
    trial = Trial(after: state)
    self.signals = signals
    self.now = now
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

  mutating func alarm(_ text: String) { plan.alarms.append(text) }
}
