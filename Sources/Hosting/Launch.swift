// How an engine is started: its template, resolved when a model version is added and stored with it,
// so that the log alone says what runs. The agent fills in what only it knows (host, port).

package struct Launch: Codable, Equatable, Sendable, CanonicallyRead, JSONWritable, SnapshotValue {
  /// Which template this came from: `sim`, `vllm` …
  package var engine: Name
  /// Program and arguments, with placeholders `${host}`, `${port}`, `${servedModelName}`,
  /// `${deviceCount}`, `${contextLength}`, `${modelPath}`, `${engineKey}`.
  package var command: [String]
  /// Added to a clean environment; the same placeholders.
  package var environment: [String: String]
  package var readiness: Readiness
  /// After SIGTERM, before SIGKILL.
  package var stopGraceSeconds: Int
  /// How it is noticed that it hangs; none: it is believed until its process ends.
  package var liveness: Liveness?
  /// How long the gateway waits for it; by the gateway's own measure when absent.
  package var waits: Waits?

  package static let graceSeconds = 0...3_600

  package struct Readiness: Codable, Equatable, Sendable, CanonicallyRead, JSONWritable,
    SnapshotValue
  {
    /// `GET` of this path answers 200 when ready.
    package var path: String
    /// Ready only when `GET /v1/models` also lists the served name.
    package var listsModel: Bool
    package var periodMilliseconds: Int
    /// Given up when not ready after this long.
    package var deadlineSeconds: Int

    package static let periodsMilliseconds = 1...3_600_000
    package static let longestDeadlineDays = 7
    package static let deadlinesSeconds = 1...(longestDeadlineDays * 86_400)

    package init(path: String, listsModel: Bool, periodMilliseconds: Int, deadlineSeconds: Int) {
      self.path = path
      self.listsModel = listsModel
      self.periodMilliseconds = periodMilliseconds
      self.deadlineSeconds = deadlineSeconds
    }
  }

  package init(
    engine: Name, command: [String], environment: [String: String], readiness: Readiness,
    stopGraceSeconds: Int, liveness: Liveness? = nil, waits: Waits? = nil
  ) {
    self.engine = engine
    self.command = command
    self.environment = environment
    self.readiness = readiness
    self.stopGraceSeconds = stopGraceSeconds
    self.liveness = liveness
    self.waits = waits
  }

  private static let wordsOfSecrets: Set<Substring> = [
    "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "CREDENTIALS", "APIKEY",
  ]
  private static let endingsOfSecrets = ["API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "AUTH_KEY"]

  /// What is in an event stays there for ever, and is shown to every viewer.
  func checkSecrets() throws(Refusal) {
    for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
      guard !value.isEmpty, value != "${engineKey}", Self.namesSecret(name) else { continue }
      throw Refusal(
        "secretInTemplate",
        "engine \(engine) would get \(name.shortened(to: 80)) from its template, where everyone who "
          + "may look can read it for ever",
        help: "leave the secret in a file on the node, where the engine looks for it in its HOME")
    }
  }

  private static func namesSecret(_ variable: String) -> Bool {
    let name = variable.uppercased()
    return endingsOfSecrets.contains(where: name.hasSuffix)
      || !wordsOfSecrets.isDisjoint(with: name.split(separator: "_"))
  }

  /// Waits that nobody means are more likely a wrong unit.
  func checkWaits() throws(Refusal) {
    guard Readiness.periodsMilliseconds.contains(readiness.periodMilliseconds) else {
      throw Refusal(
        "periodOutOfRange",
        "engine \(engine) is asked whether it is ready every 1 to "
          + "\(Readiness.periodsMilliseconds.upperBound) ms, not every "
          + "\(readiness.periodMilliseconds)", help: "write it as readiness: {period: 500ms}")
    }
    guard Readiness.deadlinesSeconds.contains(readiness.deadlineSeconds) else {
      throw Refusal(
        "deadlineOutOfRange",
        "engine \(engine) is given up after 1 s to \(Readiness.longestDeadlineDays) days, "
          + "not after \(readiness.deadlineSeconds) s",
        help: "write it as readiness: {deadline: 10m}")
    }
    guard Self.graceSeconds.contains(stopGraceSeconds) else {
      throw Refusal(
        "graceOutOfRange",
        "engine \(engine) has 0 to \(Self.graceSeconds.upperBound) s to stop, "
          + "not \(stopGraceSeconds)", help: "write it as stopGrace: 30s")
    }
    try Self.check(readiness.path, of: engine)
    try liveness?.check(engine)
    try waits?.check(engine)
  }
}
