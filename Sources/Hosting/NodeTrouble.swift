// What ails a node, as its agent says: codes of ours, for what a tool or a disk said stays in the
// agent's own log. What runs there runs on; while some of it lasts, nothing new is placed there.

/// Raw values are a storage format.
package enum NodeTrouble: String, CaseIterable, Sendable, JSONCoded {
  /// The tool that lists devices is missing, hangs, fails, or says what nobody can read: the devices
  /// known before stand.
  case deviceToolFailed
  /// Its agent cannot write down what it would start, so it starts nothing.
  case ledgerUnwritable
  /// Others on that machine can read its agent's credential or its engines' keys.
  case secretsReadable
  /// Again and again its agent gets answers that wharfd did not give, or not so, or none in time: what it is
  /// told to run may not reach it, though what it says arrives.
  case answersDisturbed

  /// Nothing new is placed on a node with it.
  package var closesNode: Bool {
    switch self {
    case .deviceToolFailed, .ledgerUnwritable, .answersDisturbed: true
    case .secretsReadable: false
    }
  }

  package var words: String {
    switch self {
    case .deviceToolFailed: "the tool that lists its devices fails"
    case .ledgerUnwritable: "its agent's folder cannot be written"
    case .secretsReadable: "others can read its agent's secrets"
    case .answersDisturbed: "no answer of wharfd reaches its agent as it was given"
    }
  }

  /// What a person can do about it.
  package var remedy: String {
    switch self {
    case .deviceToolFailed: "see to nvidia-smi there"
    case .ledgerUnwritable: "make room on the disk of its agent's folder"
    case .secretsReadable: "chmod -R go-rwx its agent's folder"
    case .answersDisturbed:
      "see what stands between it and wharfd: wharf-agent status there says more"
    }
  }
}

/// What ails a node from here on; nothing when the list is empty.
package struct NodeTroubled: Event {
  package static let type = "nodeTroubled"
  package static let formatLevel = FormatLevel.kept
  /// In the order of their codes.
  package let troubles: [NodeTrouble]

  package init(troubles: [NodeTrouble]) { self.troubles = troubles }

  package func evolve(_ state: inout HostingState, _ fact: Fact) throws(Contradiction) {
    try state.changeNode(fact.subject(), fact) { $0.troubles = troubles }
  }
}
