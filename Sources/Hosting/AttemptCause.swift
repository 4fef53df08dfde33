// Why an attempt is in its phase, or how it ended: a code of ours, never the words of an engine, a tool
// or a machine. What an engine wrote last may be somebody's prompt, and the log is for ever: the words
// stay in the log file of the attempt, on its node.

/// Raw values are a storage format. Their words enter the state with a failure, so whoever changes those
/// raises `SnapshotFormat.version`.
package enum AttemptCause: String, CaseIterable, Sendable, JSONCoded {
  // It is not started yet.
  case awaitsConfirmation
  case awaitsHearing
  case awaitsDevice
  case awaitsStranger
  case awaitsPort
  case checkingWeights

  // It runs, and is not as it should be.
  case unanswered

  // It was never started.
  case deviceMissing
  case deviceTwice
  case datePast
  case ledgerUnwritable
  case templateUnfilled
  case programUnusable
  case holderUnusable
  case agentEnded
  case weightsDiffer
  case weightsUnreadable

  // It ended by itself, or its agent gave it up.
  case byItself
  case killed
  case outOfDeviceMemory
  case outOfDeviceMemoryAtLoad
  case neverReady
  case hung
  case deviceGone
  case holderLost
  case recordLost

  // It ended by order.
  case notAssigned
  case dateReached
  case leaseEnded
  case nodeStopped

  // Its end follows from something else.
  case unknownToAgent
  case nodeRestarted

  /// An older program cannot read an event that holds one.
  package static let formatLevel = FormatLevel.kept

  package var words: String {
    switch self {
    case .awaitsConfirmation: "waits for the control plane to confirm the assignment"
    case .awaitsHearing: "waits for the control plane to be heard"
    case .awaitsDevice: "waits until another attempt has let go of its device"
    case .awaitsStranger: "waits until a process that its agent has no record of is gone"
    case .awaitsPort: "no port of its node is free"
    case .checkingWeights: "its weights are being checked"
    case .unanswered: "it does not answer its probe"
    case .deviceMissing: "not started: a device it was given is not on this node"
    case .deviceTwice: "not started: it was given the same device twice"
    case .datePast: "not started: its date has passed"
    case .ledgerUnwritable: "not started: its node's ledger cannot be written"
    case .templateUnfilled: "not started: its engine's template asks for what is not stated"
    case .programUnusable: "not started: its engine's program could not be executed"
    case .holderUnusable: "not started: its holder could not be started"
    case .agentEnded: "not started: the agent ended before it could start it"
    case .weightsDiffer: "not started: its weights are not those that were pinned"
    case .weightsUnreadable: "not started: its weights cannot be read"
    case .byItself: "it ended by itself"
    case .killed: "unasked; perhaps the machine ran out of memory"
    case .outOfDeviceMemory: "out of device memory"
    case .outOfDeviceMemoryAtLoad: "out of device memory at load"
    case .neverReady: "it was not ready by its deadline"
    case .hung: "it hung, and was ended"
    case .deviceGone: "its device is gone from this node"
    case .holderLost: "its holder was lost"
    case .recordLost: "its agent's record of it was lost"
    case .notAssigned: "no longer assigned"
    case .dateReached: "its date has passed"
    case .leaseEnded: "exclusive, and the control plane was not heard for the lease"
    case .nodeStopped: "all engines of its node were told to stop"
    case .unknownToAgent: "the agent knows nothing of it"
    case .nodeRestarted: "the node was restarted"
    }
  }

  /// With the device that it is about, and the weights that were found.
  func words(device: String?, weights: WeightsFound?) -> String {
    switch (self, device, weights) {
    case (.deviceGone, let device?, _): "device \(device) is gone from this node"
    case (.deviceMissing, let device?, _): "not started: device \(device) is not on this node"
    case (.weightsDiffer, _, let weights?):
      "not started: its weights have the digest \(weights.found), and \(weights.wanted) was pinned"
    default: words
    }
  }
}

/// The digest of the weights that lie where a version says, and the one that the version pins.
package struct WeightsFound: Codable, Equatable, Sendable, JSONWritable, CanonicallyRead {
  package let wanted: Digest
  package let found: Digest

  package init(wanted: Digest, found: Digest) {
    self.wanted = wanted
    self.found = found
  }
}
