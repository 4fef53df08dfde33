// A program of a system: how it is started, when it is ready, and how it is told to end.

struct Part: Sendable {
  enum Readiness: Hashable, Sendable {
    case ready
    /// With what it waits for, if known.
    case notYet(String?)
    /// It will never be.
    case failed(UpFailure)
  }

  static let postgres = "postgres"
  static let initdb = "initdb"
  static let wharfd = "wharfd"
  static let gateway = "gateway"
  private static let agentPrefix = "agent-"

  static func agent(_ node: String) -> String { agentPrefix + node }

  /// Of its record and its log.
  let name: String
  /// The node whose agent it is.
  let node: String?
  let title: String
  let command: Command
  let readyLimitSeconds: Int
  /// It may end this often before it was ready for the first time.
  let firstStarts: Int
  let readiness: @Sendable (RunningProcess) async -> Readiness

  init(
    name: String, node: String? = nil, title: String, command: Command, readyLimitSeconds: Int,
    firstStarts: Int,
    readiness: @escaping @Sendable (RunningProcess) async -> Readiness
  ) {
    self.name = name
    self.node = node
    self.title = title
    self.command = command
    self.readyLimitSeconds = readyLimitSeconds
    self.firstStarts = firstStarts
    self.readiness = readiness
  }

  /// The kinds, in the order in which they are stopped.
  enum Kind: Int, Comparable, CaseIterable, Sendable {
    case initdb, gateway, agent, wharfd, postgres

    static func < (a: Kind, b: Kind) -> Bool { a.rawValue < b.rawValue }

    init?(name: String) {
      switch name {
      case Part.postgres: self = .postgres
      case Part.initdb: self = .initdb
      case Part.wharfd: self = .wharfd
      case Part.gateway: self = .gateway
      case _ where name.hasPrefix(Part.agentPrefix): self = .agent
      default: return nil
      }
    }

    /// What is sent, and how long it may then take; after the last one comes SIGKILL.
    var goodbyes: [Goodbye] {
      switch self {
      case .initdb: []
      case .gateway: [Goodbye(.terminate, waitSeconds: 15)]
      case .agent: [Goodbye(.terminate, waitSeconds: 15)]
      case .wharfd: [Goodbye(.terminate, waitSeconds: 20)]
      // Fast: ends sessions and writes everything down. Immediate: only ends.
      case .postgres: [Goodbye(.interrupt, waitSeconds: 90), Goodbye(.quit, waitSeconds: 15)]
      }
    }
  }
}

struct Goodbye: Hashable, Sendable {
  let signal: Signal
  let waitSeconds: Int

  init(_ signal: Signal, waitSeconds: Int) {
    self.signal = signal
    self.waitSeconds = waitSeconds
  }
}
