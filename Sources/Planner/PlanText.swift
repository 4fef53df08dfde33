// A plan as text: one decision a line, by names. What `wharf plan` shows, and golden tests keep.
//
//     lost     n2, silent for 80 s
//     place    grok-1 on n1 [d0 d1]: none of its deployment there, leaves 2 devices free
//     wait     grok-2…4: notEnoughDevices
//     wake     in 60 s

import HashTreeCollections
import Hosting

extension Plan {
  /// The plan for a state, as made at that state.
  package func text(of state: HostingState, now: Timestamp) -> String {
    let words = PlanWords(state: state)
    var lines = decisions.flatMap(words.lines)
    lines += alarms.map { words.line("alarm", $0) }
    if let wakeAt {
      let seconds = Int(wakeAt.seconds(since: now).rounded(.up))
      lines.append(words.line("wake", "in \(seconds) s"))
    }
    return lines.isEmpty ? "nothing to do\n" : lines.joined(separator: "\n") + "\n"
  }
}

struct PlanWords {
  let state: HostingState

  func line(_ verb: String, _ rest: String) -> String {
    verb + String(repeating: " ", count: max(1, 9 - verb.count)) + rest
  }

  func lines(_ command: any Command) -> [String] {
    switch command {
    case let lost as DeclareNodeLost:
      [line("lost", "\(name(lost.node.stream)), silent for \(lost.silentSeconds) s")]
    case let back as DeclareNodeReturned:
      [line("back", name(back.node.stream))]
    case let end as EndAgreement:
      [line("end", "agreement with \(name(end.agreement.stream))")]
    case let expire as ExpireGrant:
      [line("expire", "grant of \(name(expire.model.stream)) to \(name(expire.team.stream))")]
    case let stop as StopAttempts:
      [line("stop", "all of \(name(stop.deployment.stream))")]
    case let remove as RemoveReplicas:
      [line("remove", replicas(remove.replicas, of: remove.deployment))]
    case let dismiss as DismissAttempts:
      [
        line(
          "dismiss",
          replicas(dismiss.attempts.map(\.replica.number), of: dismiss.deployment)
            + (dismiss.enforced == nil ? ", though not all gateways left" : ", which gateways left")
        )
      ]
    case let silent as NoteSilentGateways:
      [line("silent", "\(silent.processes.count) processes of gateways")]
    case let wait as NoteWaiting:
      [line("wait", "\(replicas(wait.replicas, of: wait.deployment)): \(wait.reason.rawValue)")]
    case let place as PlaceReplicas:
      place.placements.map { placement in
        let devices = placement.devices.joined(separator: " ")
        return line(
          "place",
          "\(replicas([placement.replica], of: place.deployment)) on "
            + "\(name(placement.node.stream)) [\(devices)]: \(placement.reason)")
      }
    default:
      [line("decide", type(of: command).type)]
    }
  }

  private func name(_ stream: Stream) -> String { state.label(of: stream) ?? stream.description }

  /// `grok-1…3,7`
  private func replicas(_ numbers: [Int], of deployment: ID<Deployment>) -> String {
    "\(name(deployment.stream))-\(Self.ranges(numbers))"
  }

  static func ranges(_ numbers: [Int]) -> String {
    var found: [ClosedRange<Int>] = []
    for number in numbers.sorted() {
      if let last = found.last, last.upperBound + 1 == number {
        found[found.count - 1] = last.lowerBound...number
      } else {
        found.append(number...number)
      }
    }
    return found.map { range in
      switch range.count {
      case 1: "\(range.lowerBound)"
      case 2: "\(range.lowerBound),\(range.upperBound)"
      default: "\(range.lowerBound)…\(range.upperBound)"
      }
    }.joined(separator: ",")
  }
}
