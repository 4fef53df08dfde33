// What an agent tells wharfd. `POST /v1/agent/join` once; `POST /v1/agent/heartbeat` every few
// seconds; `POST /v1/agent/report` with the whole observation when it changed or was asked for. One
// report is outstanding at a time.

import Hosting

package struct JoinRequest: JSONRecord, Equatable, Sendable {
  package var commandID: CommandID
  package var name: Name
  /// SHA-256 of the credential that the agent made and keeps. The join token is the bearer token.
  package var credential: Digest
  package var facts: NodeFacts

  package init(commandID: CommandID, name: Name, credential: Digest, facts: NodeFacts) {
    self.commandID = commandID
    self.name = name
    self.credential = credential
    self.facts = facts
  }
}

package struct JoinReply: JSONRecord, Equatable, Sendable {
  package var node: Stream
  package var head: HeadWitness
  package init(node: Stream, head: HeadWitness) {
    self.node = node
    self.head = head
  }
}

/// Everything an agent sees, at a sequence number.
package struct Observation: JSONRecord, Equatable, Sendable {
  /// The kernel's boot id: another one proves that nothing of before still runs.
  package var bootID: String
  /// Made anew by each start of the agent.
  package var incarnation: String
  /// Rises with each report of one incarnation.
  package var sequence: Int
  /// The assignment that the agent acts on; 0 before it has one.
  package var generation: Position
  package var facts: NodeFacts
  package var attempts: [ObservedAttempt]
  /// Engines that run here and were in no assignment the agent saw.
  package var strangers: [Stranger]
  /// Why the agent does not believe this control plane, and so changes nothing; none when it does.
  package var alarm: String?
  /// What it saw of the log, while it raises the alarm.
  package var seen: HeadWitness?
  /// The same as a code: what the log may hold of it.
  package var mistrust: Mistrust?
  /// What ails the node; none from an agent that cannot tell.
  package var troubles: [NodeTrouble]?

  package struct Stranger: Codable, Equatable, Sendable {
    package var id: AttemptID?
    package var pid: Int
    package init(id: AttemptID?, pid: Int) {
      self.id = id
      self.pid = pid
    }
  }

  package init(
    bootID: String, incarnation: String, sequence: Int, generation: Position, facts: NodeFacts,
    attempts: [ObservedAttempt], strangers: [Stranger], alarm: String? = nil,
    seen: HeadWitness? = nil, mistrust: Mistrust? = nil, troubles: [NodeTrouble]? = nil
  ) {
    self.bootID = bootID
    self.incarnation = incarnation
    self.sequence = sequence
    self.generation = generation
    self.facts = facts
    self.attempts = attempts
    self.strangers = strangers
    self.alarm = alarm
    self.seen = seen
    self.mistrust = mistrust
    self.troubles = troubles
  }
}

package struct ReportReply: JSONRecord, Equatable, Sendable {
  package var head: HeadWitness
  package var leaseSeconds: Int
  package init(head: HeadWitness, leaseSeconds: Int) {
    self.head = head
    self.leaseSeconds = leaseSeconds
  }
}

package struct Heartbeat: JSONRecord, Equatable, Sendable {
  package var bootID: String
  package var incarnation: String
  /// The sequence of the last report that was acknowledged.
  package var sequence: Int
  /// SHA-256 of the observation with `sequence` 0: wharfd asks for the whole when it differs.
  package var digest: Digest

  package init(bootID: String, incarnation: String, sequence: Int, digest: Digest) {
    self.bootID = bootID
    self.incarnation = incarnation
    self.sequence = sequence
    self.digest = digest
  }
}

package struct HeartbeatReply: JSONRecord, Equatable, Sendable {
  package var head: HeadWitness
  package var leaseSeconds: Int
  /// Send the whole observation now.
  package var wantsReport: Bool
  package init(head: HeadWitness, leaseSeconds: Int, wantsReport: Bool) {
    self.head = head
    self.leaseSeconds = leaseSeconds
    self.wantsReport = wantsReport
  }
}
