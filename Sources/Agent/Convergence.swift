// What an agent does next: pure, from what it was told and what it holds. Level-triggered: it looks
// at the whole each time and never at what woke it, so running it twice does nothing twice.
//
// What holds, whatever is told in whatever order:
//   1. A device is held by one attempt: from its plan until its end is proved.
//   2. An attempt is started at most once in all time; an ended one never again.
//   3. Nothing starts before the control plane confirmed the assignment to this very agent, nor
//      without a lease.
//   4. Silence stops nothing but `exclusive` attempts; dates stop what they bound, heard or not.
//   5. A mistrusted control plane changes nothing: what runs serves on, under 4.

import Hosting
import Wire

package enum Convergence {
  /// An attempt in the ledger.
  package struct Held: Equatable, Sendable {
    package enum Condition: Equatable, Sendable {
      /// Planned or running → stopping, ended.
      case alive
      /// Told to stop, its end not yet proved → ended.
      case stopping
      /// For ever. Forgotten when it is acknowledged and no longer assigned.
      case ended(acknowledged: Bool)
    }

    package var id: AttemptID
    package var devices: [String]
    package var port: Int
    package var exclusive: Bool
    package var notAfter: Timestamp?
    package var condition: Condition

    package init(
      id: AttemptID, devices: [String], port: Int, exclusive: Bool = false,
      notAfter: Timestamp? = nil, condition: Condition
    ) {
      self.id = id
      self.devices = devices
      self.port = port
      self.exclusive = exclusive
      self.notAfter = notAfter
      self.condition = condition
    }
  }

  /// An engine of this agent's folder that its ledger does not know. Its devices are unknown too,
  /// so nothing starts while it lives.
  package struct Unknown: Equatable, Sendable {
    package var id: AttemptID?
    package var pid: Int
    /// The control plane has acknowledged a report that names it.
    package var reported: Bool
    package var reaping: Bool

    package init(id: AttemptID?, pid: Int, reported: Bool, reaping: Bool) {
      self.id = id
      self.pid = pid
      self.reported = reported
      self.reaping = reaping
    }
  }

  package struct Situation: Sendable {
    /// The last one accepted; none before the first.
    package var assignment: Assignment?
    /// The control plane said in this agent's lifetime that nothing newer exists.
    package var confirmed: Bool
    /// What was heard last does not fit what was seen of the log.
    package var mistrusts: Bool
    package var leaseHolds: Bool
    package var now: Timestamp
    package var held: [Held]
    package var unknown: [Unknown]
    package var devices: Set<String>
    package var ports: ClosedRange<Int>
    /// Found bound by somebody else.
    package var takenPorts: Set<Int>
    /// The port given last: the next one is sought after it, so that a port is not reused at once.
    package var lastPort: Int?
    /// Of attempts whose weights are pinned, and were looked at.
    package var weights: [AttemptID: WeightsStanding]

    package init(
      assignment: Assignment?, confirmed: Bool, mistrusts: Bool, leaseHolds: Bool, now: Timestamp,
      held: [Held], unknown: [Unknown], devices: Set<String>, ports: ClosedRange<Int>,
      takenPorts: Set<Int> = [], lastPort: Int? = nil,
      weights: [AttemptID: WeightsStanding] = [:]
    ) {
      self.assignment = assignment
      self.confirmed = confirmed
      self.mistrusts = mistrusts
      self.leaseHolds = leaseHolds
      self.now = now
      self.held = held
      self.unknown = unknown
      self.devices = devices
      self.ports = ports
      self.takenPorts = takenPorts
      self.lastPort = lastPort
      self.weights = weights
    }
  }

  /// What was found of the weights that an attempt is to load.
  package enum WeightsStanding: Equatable, Sendable {
    /// → sound, different, unreadable.
    case checking
    case sound
    case different(WeightsFound)
    case unreadable
  }

  package enum StopReason: Equatable, Sendable, CustomStringConvertible {
    case notAssigned(Position)
    case past(Timestamp)
    case leaseEnded
    case deviceGone(String)

    package var description: String {
      switch self {
      case .notAssigned(let generation): "no longer assigned, as of generation \(generation)"
      case .past(let date): "its date has passed: \(date.short)"
      case .leaseEnded: "exclusive, and the control plane was not heard for the lease"
      case .deviceGone(let device): "device \(device.shortened(to: 60)) is gone from this node"
      }
    }

    package var cause: AttemptCause {
      switch self {
      case .notAssigned: .notAssigned
      case .past: .dateReached
      case .leaseEnded: .leaseEnded
      case .deviceGone: .deviceGone
      }
    }

    package var device: String? {
      if case .deviceGone(let device) = self { return device }
      return nil
    }

    /// None: a failure, which nobody ordered.
    package var order: StopOrder? {
      switch self {
      case .notAssigned: .notAssigned
      case .past: .dateReached
      case .leaseEnded: .leaseEnded
      case .deviceGone: nil
      }
    }
  }

  /// In the order in which they are to be taken.
  package enum Step: Equatable, Sendable {
    case stop(AttemptID, because: StopReason)
    case reap(pid: Int)
    /// Ended, acknowledged and no longer assigned: its ledger entry may go.
    case forget(AttemptID)
    /// Its weights are to be compared with what its version pins.
    case check(AttemptID)
    /// Cannot ever start here: it ends without a start.
    case refuse(AttemptID, because: RefusedStart)
    case start(AttemptID, port: Int, devices: [String])
  }

  package struct Outcome: Equatable, Sendable {
    package var steps: [Step] = []
    /// Assigned and not to be started yet, with what they wait for.
    package var waiting: [Waiting] = []
    /// The next date that will change something.
    package var checkAt: Timestamp?
    package init() {}
  }

  package struct Waiting: Equatable, Sendable {
    package var id: AttemptID
    package var cause: AttemptCause
    package init(id: AttemptID, cause: AttemptCause) {
      self.id = id
      self.cause = cause
    }
  }

  package struct RefusedStart: Equatable, Sendable {
    package var cause: AttemptCause
    package var device: String?
    package var weights: WeightsFound?
    package init(cause: AttemptCause, device: String? = nil, weights: WeightsFound? = nil) {
      self.cause = cause
      self.device = device
      self.weights = weights
    }
  }

  package static func outcome(of situation: Situation) -> Outcome {
    var outcome = Outcome()
    let wanted = situation.assignment?.attempts.sorted { $0.id < $1.id } ?? []
    stopWhatIsToEnd(situation, &outcome)
    reapUnknown(situation, &outcome)
    forgetTheEnded(situation, &outcome)
    startTheWanted(wanted, situation, &outcome)
    return outcome
  }

  // MARK: - Stopping

  private static func stopWhatIsToEnd(_ situation: Situation, _ outcome: inout Outcome) {
    for held in situation.held.sorted(by: { $0.id < $1.id }) where held.condition == .alive {
      let assigned = situation.assignment?.attempts.first { $0.id == held.id }
      let notAfter = assigned == nil ? held.notAfter : assigned?.notAfter
      if let assignment = situation.assignment, assigned == nil, !situation.mistrusts {
        outcome.steps.append(.stop(held.id, because: .notAssigned(assignment.generation)))
      } else if let notAfter, notAfter <= situation.now {
        outcome.steps.append(.stop(held.id, because: .past(notAfter)))
      } else if assigned?.exclusive ?? held.exclusive, !situation.leaseHolds {
        outcome.steps.append(.stop(held.id, because: .leaseEnded))
      } else if situation.confirmed, !situation.mistrusts,
        let gone = held.devices.first(where: { !situation.devices.contains($0) })
      {
        outcome.steps.append(.stop(held.id, because: .deviceGone(gone)))
      } else if let notAfter {
        outcome.checkAt = min(outcome.checkAt ?? notAfter, notAfter)
      }
    }
  }

  private static func reapUnknown(_ situation: Situation, _ outcome: inout Outcome) {
    guard situation.assignment != nil, situation.confirmed, !situation.mistrusts else { return }
    for unknown in situation.unknown where unknown.reported && !unknown.reaping {
      outcome.steps.append(.reap(pid: unknown.pid))
    }
  }

  private static func forgetTheEnded(_ situation: Situation, _ outcome: inout Outcome) {
    guard let assignment = situation.assignment, situation.confirmed, !situation.mistrusts else {
      return
    }
    for held in situation.held.sorted(by: { $0.id < $1.id })
    where held.condition == .ended(acknowledged: true)
      && !assignment.attempts.contains(where: { $0.id == held.id })
    {
      outcome.steps.append(.forget(held.id))
    }
  }

  // MARK: - Starting

  private static func startTheWanted(
    _ wanted: [AssignedAttempt], _ situation: Situation, _ outcome: inout Outcome
  ) {
    var free = FreePlaces(situation)
    let known = Set(situation.held.map(\.id))
    for attempt in wanted where !known.contains(attempt.id) {
      if let reason = impossible(attempt, situation) {
        if situation.confirmed, !situation.mistrusts {
          outcome.steps.append(.refuse(attempt.id, because: reason))
        }
        continue
      }
      if let cause = mustWait(attempt, situation, free) {
        outcome.waiting.append(Waiting(id: attempt.id, cause: cause))
        // An attempt that waits keeps its place: a later attempt must not overtake it for ever.
        free.claim(attempt.devices, for: attempt.id)
        continue
      }
      // Last of all that it waits for, so that what is started was looked at just before.
      switch attempt.weights == nil ? .sound : situation.weights[attempt.id] {
      case nil:
        outcome.steps.append(.check(attempt.id))
        fallthrough
      case .checking:
        outcome.waiting.append(Waiting(id: attempt.id, cause: .checkingWeights))
        free.claim(attempt.devices, for: attempt.id)
        continue
      case .different(let weights):
        outcome.steps.append(
          .refuse(attempt.id, because: RefusedStart(cause: .weightsDiffer, weights: weights)))
        continue
      case .unreadable:
        outcome.steps.append(
          .refuse(attempt.id, because: RefusedStart(cause: .weightsUnreadable)))
        continue
      case .sound: break
      }
      guard let port = free.takePort() else {
        outcome.waiting.append(Waiting(id: attempt.id, cause: .awaitsPort))
        continue
      }
      free.claim(attempt.devices, for: attempt.id)
      if let notAfter = attempt.notAfter {
        outcome.checkAt = min(outcome.checkAt ?? notAfter, notAfter)
      }
      outcome.steps.append(.start(attempt.id, port: port, devices: attempt.devices))
    }
  }

  /// Why an attempt can never start here.
  private static func impossible(
    _ attempt: AssignedAttempt, _ situation: Situation
  ) -> RefusedStart? {
    if let missing = attempt.devices.first(where: { !situation.devices.contains($0) }) {
      return RefusedStart(cause: .deviceMissing, device: missing)
    }
    if Set(attempt.devices).count != attempt.devices.count {
      return RefusedStart(cause: .deviceTwice)
    }
    if let notAfter = attempt.notAfter, notAfter <= situation.now {
      return RefusedStart(cause: .datePast)
    }
    return nil
  }

  private static func mustWait(
    _ attempt: AssignedAttempt, _ situation: Situation, _ free: FreePlaces
  ) -> AttemptCause? {
    if situation.mistrusts || !situation.confirmed { return .awaitsConfirmation }
    if !situation.leaseHolds { return .awaitsHearing }
    if !situation.unknown.isEmpty { return .awaitsStranger }
    return attempt.devices.contains { free.holder[$0] != nil } ? .awaitsDevice : nil
  }

  /// Devices and ports nobody holds; claimed as starts are decided.
  private struct FreePlaces {
    var holder: [String: AttemptID] = [:]
    private var usedPorts: Set<Int>
    private let ports: ClosedRange<Int>
    private var lastPort: Int?

    init(_ situation: Situation) {
      ports = situation.ports
      lastPort = situation.lastPort
      usedPorts = situation.takenPorts
      for held in situation.held {
        switch held.condition {
        case .alive, .stopping:
          usedPorts.insert(held.port)
          claim(held.devices, for: held.id)
        case .ended: break
        }
      }
    }

    mutating func claim(_ devices: [String], for id: AttemptID) {
      for device in devices where holder[device] == nil { holder[device] = id }
    }

    mutating func takePort() -> Int? {
      let first =
        lastPort.map { ports.contains($0) ? $0 + 1 : ports.lowerBound } ?? ports.lowerBound
      for offset in 0..<ports.count {
        let port = ports.lowerBound + (first - ports.lowerBound + offset) % ports.count
        if usedPorts.insert(port).inserted {
          lastPort = port
          return port
        }
      }
      return nil
    }
  }
}
