// What is told of the log itself, and of gateways.

import HashTreeCollections
import Hosting

enum LogSentences {
  static let all: [Teller] = [
    Teller(EraBegan.self) { event, _ in
      "An era of the log began, in database system \(event.database.systemIdentifier) on timeline "
        + "\(event.database.timeline)."
    },
    Teller(LeadershipTaken.self) { event, _ in
      "wharfd \(event.instance) took the lead; its API answers at \(event.address)."
    },
    Teller(CommandNoted.self) { event, _ in
      "The command \(event.command) was accepted and had nothing to change."
    },
    Teller(MarkPlaced.self) { event, _ in
      "Position \(event.position) was marked '\(event.name)'."
    },
    Teller(FormatLevelRaised.self) { event, _ in
      "The log was raised to format level \(event.level): an older wharfd can no longer read it."
    },
    Teller(ClusterSecretRecorded.self) { _, _ in
      "The log belongs, from here on, to the cluster secret of this fingerprint."
    },
  ]
}

enum GatewaySentences {
  static let all: [Teller] = [
    Teller(GatewayRegistered.self) { _, telling in "Gateway \(telling.subject) was registered." },
    Teller(GatewayRemoved.self) { _, telling in "Gateway \(telling.subject) was removed." },
    Teller(GatewayStarted.self) { event, telling in
      "A process of gateway \(telling.subject) began to serve at \(event.address)."
    },
    Teller(GatewayStopped.self) { event, telling in
      let address = telling.before.gatewayProcesses[event.process]?.address ?? "its address"
      let how =
        switch event.cause {
        case .left: "it left"
        case .replaced: "another one took its place"
        case .silent: "it was not heard for all of its lease"
        case .poweredOff: "a person vouches that it is off"
        }
      return "The process of gateway \(telling.subject) at \(address) serves no more: \(how)."
    },
    Teller(GatewayGraceSet.self) { event, _ in
      event.seconds == 0
        ? "Gateways stop when their lease ends."
        : "Gateways serve on for \(event.seconds) s by what they know while no leader answers."
    },
  ]
}
