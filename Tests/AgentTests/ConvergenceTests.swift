// What an agent does next, case by case.

import Agent
import Hosting
import Testing
import Wire

private let now = Timestamp(microseconds: 1_750_000_000_000_000)

private func situation(
  _ assignment: Assignment?, held: [Convergence.Held] = [], unknown: [Convergence.Unknown] = [],
  confirmed: Bool = true, mistrusts: Bool = false, leaseHolds: Bool = true, devices: Int = 4,
  ports: ClosedRange<Int> = 9000...9003, taken: Set<Int> = [], lastPort: Int? = nil
) -> Convergence.Situation {
  Convergence.Situation(
    assignment: assignment, confirmed: confirmed, mistrusts: mistrusts, leaseHolds: leaseHolds,
    now: now, held: held, unknown: unknown, devices: Set(simulatedDevices(devices).map(\.id)),
    ports: ports, takenPorts: taken, lastPort: lastPort)
}

private func held(
  _ id: String, on devices: [String] = ["sim-0"], port: Int = 9000, exclusive: Bool = false,
  notAfter: Timestamp? = nil, _ condition: Convergence.Held.Condition = .alive
) -> Convergence.Held {
  Convergence.Held(
    id: attemptID(id), devices: devices, port: port, exclusive: exclusive, notAfter: notAfter,
    condition: condition)
}

/// One line a step, then what waits.
private func text(_ situation: Convergence.Situation) -> [String] {
  let outcome = Convergence.outcome(of: situation)
  let steps = outcome.steps.map { step in
    switch step {
    case .stop(let id, let reason): "stop \(id): \(reason)"
    case .reap(let pid): "reap \(pid)"
    case .forget(let id): "forget \(id)"
    case .check(let id): "check \(id)"
    case .refuse(let id, let refused):
      "refuse \(id): "
        + ([refused.cause.rawValue] + [refused.device].compactMap { $0 })
        .joined(separator: " ")
    case .start(let id, let port, let devices):
      "start \(id) at \(port) on \(devices.joined(separator: " "))"
    }
  }
  return steps + outcome.waiting.map { "\($0.id) \($0.cause.rawValue)" }
}

@Suite struct `Converging` {
  @Test func `a wanted attempt is started on its devices and the next free port`() {
    let wanted = assignment(
      40, [assigned("31.1.40"), assigned("31.2.40", on: ["sim-1", "sim-2"])])
    #expect(
      text(situation(wanted)) == [
        "start 31.1.40 at 9000 on sim-0", "start 31.2.40 at 9001 on sim-1 sim-2",
      ])
    #expect(
      text(situation(wanted, taken: [9000, 9003], lastPort: 9002)) == [
        "start 31.1.40 at 9001 on sim-0", "start 31.2.40 at 9002 on sim-1 sim-2",
      ])
  }

  @Test func `what is not assigned is stopped, and its device waited for`() {
    let wanted = assignment(50, [assigned("31.1.50")])
    #expect(
      text(situation(wanted, held: [held("31.1.40")])) == [
        "stop 31.1.40: no longer assigned, as of generation 50",
        "31.1.50 awaitsDevice",
      ])
    #expect(
      text(situation(wanted, held: [held("31.1.40", .stopping)])) == [
        "31.1.50 awaitsDevice"
      ])
    #expect(
      text(situation(wanted, held: [held("31.1.40", .ended(acknowledged: false))])) == [
        "start 31.1.50 at 9000 on sim-0"
      ])
  }

  @Test func `an ended attempt is never started again, and forgotten once nobody asks for it`() {
    let same = assignment(40, [assigned("31.1.40")])
    #expect(text(situation(same, held: [held("31.1.40", .ended(acknowledged: true))])) == [])
    let none = assignment(41, [])
    #expect(text(situation(none, held: [held("31.1.40", .ended(acknowledged: false))])) == [])
    #expect(
      text(situation(none, held: [held("31.1.40", .ended(acknowledged: true))])) == [
        "forget 31.1.40"
      ])
    #expect(
      text(situation(none, held: [held("31.1.40", .ended(acknowledged: true))], confirmed: false))
        == [])
  }

  @Test func `two wanted attempts on one device run one after the other`() {
    let wanted = assignment(40, [assigned("31.2.40"), assigned("31.1.40")])
    #expect(
      text(situation(wanted)) == [
        "start 31.1.40 at 9000 on sim-0",
        "31.2.40 awaitsDevice",
      ])
  }

  @Test func `who waits for one device keeps a later attempt off its others`() {
    let wanted = assignment(
      50, [assigned("31.1.50", on: ["sim-0", "sim-1"]), assigned("31.2.50", on: ["sim-1"])])
    #expect(
      text(situation(wanted, held: [held("30.1.40", .stopping)])) == [
        "31.1.50 awaitsDevice",
        "31.2.50 awaitsDevice",
      ])
  }

  @Test func `a date that has passed stops, heard or not; one to come is woken for`() {
    let past = now.adding(seconds: -1)
    let soon = now.adding(seconds: 60)
    let wanted = assignment(40, [assigned("31.1.40", notAfter: past)])
    #expect(
      text(situation(wanted, held: [held("31.1.40")], mistrusts: true, leaseHolds: false)) == [
        "stop 31.1.40: its date has passed: \(past.short)"
      ])
    #expect(text(situation(wanted)) == ["refuse 31.1.40: datePast"])
    #expect(
      text(situation(nil, held: [held("31.1.40", notAfter: past)])) == [
        "stop 31.1.40: its date has passed: \(past.short)"
      ])
    let later = assignment(41, [assigned("31.1.40", notAfter: soon)])
    let outcome = Convergence.outcome(of: situation(later, held: [held("31.1.40", notAfter: past)]))
    #expect(outcome.steps == [])
    #expect(outcome.checkAt == soon)
  }

  @Test func `what runs on a device that is gone is stopped, by nobody's order, and nothing else`()
  {
    let wanted = assignment(
      40, [assigned("31.1.40", on: ["sim-0", "sim-1"]), assigned("31.2.40", on: ["sim-2"])])
    let running = [
      held("31.1.40", on: ["sim-0", "sim-1"]), held("31.2.40", on: ["sim-2"], port: 9001),
    ]
    let lines = ["stop 31.2.40: device sim-2 is gone from this node"]
    #expect(text(situation(wanted, held: running, devices: 2)) == lines)
    #expect(text(situation(wanted, held: running, devices: 3)) == [])
    #expect(Convergence.StopReason.deviceGone("sim-2").order == nil)
    // Whoever was started with the wrong devices waits for the control plane's word.
    #expect(text(situation(wanted, held: running, confirmed: false, devices: 2)) == [])
    #expect(text(situation(wanted, held: running, mistrusts: true, devices: 2)) == [])
  }

  @Test func `silence ends exclusive attempts only, and starts nothing`() {
    let wanted = assignment(
      40,
      [
        assigned("31.1.40", exclusive: true), assigned("31.2.40", on: ["sim-1"]),
        assigned("31.3.40", on: ["sim-2"]),
      ])
    #expect(
      text(
        situation(
          wanted, held: [held("31.1.40"), held("31.2.40", on: ["sim-1"], port: 9001)],
          leaseHolds: false)) == [
          "stop 31.1.40: exclusive, and the control plane was not heard for the lease",
          "31.3.40 awaitsHearing",
        ])
    #expect(
      text(situation(nil, held: [held("31.1.40", exclusive: true)], leaseHolds: false)) == [
        "stop 31.1.40: exclusive, and the control plane was not heard for the lease"
      ])
  }

  @Test func `a kept assignment stops what it does not name, and starts nothing until confirmed`() {
    let kept = assignment(50, [assigned("31.1.50", on: ["sim-1"])])
    #expect(
      text(situation(kept, held: [held("31.1.40")], confirmed: false)) == [
        "stop 31.1.40: no longer assigned, as of generation 50",
        "31.1.50 awaitsConfirmation",
      ])
  }

  @Test func `a mistrusted control plane changes nothing`() {
    let wanted = assignment(50, [assigned("31.1.50", on: ["sim-1"])])
    #expect(
      text(
        situation(
          wanted,
          held: [held("31.1.40"), held("31.1.30", on: ["sim-2"], .ended(acknowledged: true))],
          unknown: [.init(id: nil, pid: 77, reported: true, reaping: false)], mistrusts: true)) == [
          "31.1.50 awaitsConfirmation"
        ])
  }

  @Test func `what can never run here is refused`() {
    let wanted = assignment(
      40, [assigned("31.1.40", on: ["sim-9"]), assigned("31.2.40", on: ["sim-1", "sim-1"])])
    #expect(
      text(situation(wanted)) == [
        "refuse 31.1.40: deviceMissing sim-9", "refuse 31.2.40: deviceTwice",
      ])
    #expect(text(situation(wanted, confirmed: false)) == [])
  }

  @Test func `weights that are pinned are looked at last of all, and only those start`() {
    func pinned(_ id: String, on device: String) -> AssignedAttempt {
      var attempt = assigned(id, on: [device])
      attempt.weights = digest(3)
      return attempt
    }
    let wanted = assignment(
      40, [pinned("31.1.40", on: "sim-0"), assigned("31.2.40", on: ["sim-0"])])
    func steps(_ standing: Convergence.WeightsStanding?, held: [Convergence.Held] = []) -> [String]
    {
      var situation = situation(wanted, held: held)
      situation.weights[attemptID("31.1.40")] = standing
      return text(situation)
    }
    let waits = ["31.1.40 checkingWeights", "31.2.40 awaitsDevice"]
    #expect(steps(nil) == ["check 31.1.40"] + waits)
    #expect(steps(.checking) == waits, "its device is its own meanwhile")
    #expect(steps(.sound).first == "start 31.1.40 at 9000 on sim-0")
    #expect(steps(.unreadable).first == "refuse 31.1.40: weightsUnreadable")
    #expect(
      steps(.different(WeightsFound(wanted: digest(3), found: digest(4)))).first
        == "refuse 31.1.40: weightsDiffer")
    // Nothing is read before it could start.
    #expect(steps(nil, held: [held("30.1.20", .stopping)]).first == "31.1.40 awaitsDevice")
  }

  @Test func `an engine nobody knows is reaped once it was reported; nothing starts before`() {
    let wanted = assignment(40, [assigned("31.1.40")])
    func stray(reported: Bool, reaping: Bool = false) -> [Convergence.Unknown] {
      [.init(id: attemptID("30.1.20"), pid: 77, reported: reported, reaping: reaping)]
    }
    let waits = "31.1.40 awaitsStranger"
    #expect(text(situation(wanted, unknown: stray(reported: false))) == [waits])
    #expect(text(situation(wanted, unknown: stray(reported: true))) == ["reap 77", waits])
    #expect(text(situation(wanted, unknown: stray(reported: true, reaping: true))) == [waits])
    #expect(text(situation(nil, unknown: stray(reported: true))) == [])
  }

  @Test func `without a free port an attempt waits`() {
    let wanted = assignment(40, [assigned("31.1.40"), assigned("31.2.40", on: ["sim-1"])])
    #expect(
      text(situation(wanted, ports: 9000...9000)) == [
        "start 31.1.40 at 9000 on sim-0", "31.2.40 awaitsPort",
      ])
  }
}
